-- SPDX-License-Identifier: Apache-2.0
-- Misuse of event buffers, of probes that there are not, and of an object after its end.

local ffi = require("ffi")
local t = require("harness")
local surface = require("bpflua.surface")

local TEXT = [[
struct event { u32 pid; u32 uid; };
BPF_PERF_OUTPUT(events);
BPF_RINGBUF_OUTPUT(ring, 1);
BPF_HASH(counts, u32, u64);
int on_call(struct pt_regs *ctx)
{
    struct event event = {};
    events.perf_submit(ctx, &event, sizeof(event));
    ring.ringbuf_output(&event, sizeof(event), 0);
    return 0;
}
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid)
{
    struct event event = {.pid = 7};
    events.perf_submit(args, &event, sizeof(event));
    return 0;
}
]]

local function nothing() end

local function refused(wanted, fn, ...)
    local line = debug.getinfo(2, "l").currentline
    local ok, err = pcall(fn, ...)
    if ok then
        error(("line %d: nothing is raised"):format(line), 0)
    end
    t.equal(require("bpflua.errors").is_error(err), true)
    t.contains(err, wanted)
    t.contains(err, "root_bad_events.lua:" .. line)
end

t.test("buffers", function()
    local b = BPF({ text = TEXT })
    refused("`open_perf_buffer` on map `counts`: it is of type hash", function() b.counts:open_perf_buffer(nothing) end)
    refused("`open_perf_buffer` on map `ring`: it is of type ringbuf", function() b.ring:open_perf_buffer(nothing) end)
    refused("`open_ring_buffer` on map `events`", function() b.events:open_ring_buffer(nothing) end)
    for _, pages in ipairs({ 0, 3, 12, 2 ^ 32 - 1 }) do
        refused("it must be a power of two", function() b.events:open_perf_buffer(nothing, { page_cnt = pages }) end)
    end
    refused("it must be a power of two", function() b.events:open_perf_buffer(nothing, nil, nil, 5) end)
    refused("out of memory (ENOMEM)", function() b.events:open_perf_buffer(nothing, { page_cnt = 2 ^ 30 }) end)
    for _, pages in ipairs({ -1, 1.5, 2 ^ 32, 0 / 0, "8" }) do
        refused("option `page_cnt` of `open_perf_buffer` is", function() b.events:open_perf_buffer(nothing, { page_cnt = pages }) end)
    end
    refused("option `wakeup_events` of `open_perf_buffer` is 0", function() b.events:open_perf_buffer(nothing, { wakeup_events = 0 }) end)
    for _, handler in ipairs({ 5, "print", ffi.new("int") }) do
        refused("`callback` of `open_perf_buffer`", function() b.events:open_perf_buffer(handler) end)
        refused("`callback` of `open_ring_buffer`", function() b.ring:open_ring_buffer({ callback = handler }) end)
    end
    refused("needs the option `callback`", function() b.events:open_perf_buffer() end)
    refused("two callbacks", function() b.events:open_perf_buffer(nothing, { callback = nothing }) end)
    refused("did you mean `lost_cb`?", function() b.ring:open_ring_buffer(nothing, { lost_cbk = nothing }) end)
    refused("unknown option `page_cnt`", function() b.ring:open_ring_buffer(nothing, { page_cnt = 8 }) end)
    refused("`ctype` of `open_perf_buffer`", function() b.events:open_perf_buffer(nothing, "struct nonesuch") end)
    refused("`ctype` of `open_ring_buffer`", function() b.ring:open_ring_buffer(nothing, { ctype = "int[?]" }) end)
    b.events:open_perf_buffer(nothing)
    refused("it is open already", function() b.events:open_perf_buffer(nothing) end)
    b.ring:open_ring_buffer(nothing)
    refused("it is open already", function() b.ring:open_ring_buffer(nothing) end)
    for _, wrong in ipairs({ 5, 5ULL, "x", ffi.new("int[1]"), ffi.cast("void *", nil), ffi.new("struct { int x; }") }) do
        refused("to the 8 bytes of a `struct event`", function() b.events:event(wrong) end)
    end
    local bytes = ffi.new("uint32_t[2]", { 7, 8 })
    t.equal(b.events:event(bytes).uid, 8)
    t.equal(b.events:event(ffi.cast("void *", bytes)).pid, 7)
    b:close()
end)

t.test("members of events that there are not", function()
    local b, err = BPF({ text = TEXT }), nil
    b.events:open_perf_buffer(function(_, event)
        local ok, raised = pcall(function() return event.uids end)
        err = not ok and raised
        refused("cannot call `tuple`: it is a method of a struct", function() event.tuple() end)
        refused("did you mean `to_table`?", function() return event.to_tabel end)
    end)
    ffi.cdef("int getpgid(int pid);")
    ffi.C.getpgid(0)
    local polls = 0
    while not err and polls < 100 do
        b:perf_buffer_poll(100)
        polls = polls + 1
    end
    t.contains(err, "`struct event` has no member `uids`")
    t.contains(err, "did you mean `uid`?")
    b:close()
end)

t.test("probes that there are not", function()
    local b = BPF({ text = TEXT })
    refused("no function `on_cal`", function() b:attach_kprobe({ event = "vfs_read", fn_name = "on_cal" }) end)
    refused("vfs_read", function() b:attach_kprobe({ event = "vfs_raed", fn_name = "on_call" }) end)
    refused("unknown option `evnt` of `attach_kprobe`", function() b:attach_kprobe({ evnt = "vfs_read", fn_name = "on_call" }) end)
    refused("takes `event` or `event_re`", function() b:attach_kprobe({ event = "a", event_re = "b", fn_name = "on_call" }) end)
    refused("sched:sched_switch", function() b:attach_tracepoint({ tp = "sched:sched_swich", fn_name = "on_call" }) end)
    refused("no_such_library", function() b:attach_uprobe({ name = "no_such_library", sym = "x", fn_name = "on_call" }) end)
    refused("getenv", function() b:attach_uprobe({ name = "c", sym = "getenvv", fn_name = "on_call" }) end)
    refused("it is a method of a BPF object, and was called on a table", function() b.attach_kprobe({ fn_name = "on_call" }) end)
    refused("call it with a colon: `:attach_kprobe(…)`", function() b.attach_kprobe({ event = "vfs_read", fn_name = "on_call" }) end)
    refused("call it with a dot: `BPF.sleep(…)`", function() BPF:sleep(1) end)
    refused("neither a method of a BPF object nor a map", function() b:atach_kprobe({}) end)
    refused("has no map `count`", function() b:get_table("count") end)
    t.equal(#b:probes(), 1)
    b:close()
end)

t.test("a closed object says so, whatever is called", function()
    local b = BPF({ text = TEXT })
    local counts, vars = b.counts, b:variables()
    counts[1] = 1
    b:close()
    local calls = 0
    for _, one in ipairs(surface.all) do
        local object = one.class == "bpflua.BPF" and b or one.class == "bpflua.Map" and counts
        for _, name in ipairs(object and surface.names(one) or {}) do
            local ends = name == "close" or name == "cleanup"
            -- These take any object's function, or none.
            local is_static = name:find("^attach_func$") or name:find("^detach_func$") or name:find("xdp$") or name:find("raw_socket$")
            if not ends and not is_static then
                refused("closed", function() object[name](object) end)
                calls = calls + 1
            end
        end
    end
    t.equal(calls > 100, true)
    refused("closed", function() b:attach_func("on_call", 0, 1) end)
    refused("closed", function() b:attach_xdp("lo", "on_call") end)
    refused("closed", function() b:attach_raw_socket("on_call") end)
    refused("closed", function() return counts[1] end)
    refused("closed", function() counts[1] = 2 end)
    refused("closed", function() return #counts end)
    refused("closed", function() for _ in pairs(counts) do end end)
    refused("closed", function() return b.vars end)
    refused("closed", function() return vars.x end)
    b:close()
    b:cleanup()
    t.equal(tostring(b), "BPF object (closed)")
end)
