-- SPDX-License-Identifier: Apache-2.0
-- Wake-ups of a ring buffer, by each flag: what is less than a batch comes all the same, and nothing is lost on the way.

local t = require("harness")
local ffi = require("ffi")

ffi.cdef("int getpid(void); long syscall(long number, ...);")
local GETPGID = 121

local TEXT = [[
struct record { u64 number; char filler[88]; };
BPF_RINGBUF_OUTPUT(records, 16);
BPF_ARRAY(sent, u64, 1);
RAW_TRACEPOINT_PROBE(sys_enter)
{
    int zero = 0;
    u64 *count = sent.lookup(&zero);
    if (bpf_get_current_pid_tgid() >> 32 != PID || ctx->args[1] != GETPGID || !count)
        return 0;
    %s
    return 0;
}
]]
local OUTPUT = "struct record r = { .number = ++*count }; records.ringbuf_output(&r, sizeof(r), %s);"
local SUBMIT = "struct record *r = records.ringbuf_reserve(sizeof(*r)); if (!r) return 0; r->number = ++*count; records.ringbuf_submit(r, %s);"

local function opened(way, flags, handler)
    local b = BPF{ text = TEXT:format(way:format(flags)), cflags = { "-DPID=" .. ffi.C.getpid(), "-DGETPGID=" .. GETPGID } }
    b.records:open_ring_buffer(function(_, r) handler(tonumber(r.number)) end)
    return b
end

local function fire(times)
    for _ = 1, times do
        ffi.C.syscall(GETPGID, 0)
    end
end

for name, way in pairs({ output = OUTPUT, submit = SUBMIT }) do
    for _, flags in ipairs({ "0", "BPF_RB_FORCE_WAKEUP", "BPF_RB_NO_WAKEUP" }) do
        t.test(("%s with %s: one record, then as many as fit"):format(name, flags), function()
            local seen, last = 0, 0
            local b = opened(way, flags, function(number)
                seen, last = seen + 1, number
            end)
            fire(1)
            t.equal(b:ring_buffer_poll(2000), 1)
            t.equal(last, 1)
            -- 104 bytes each: 600 of them lie in 64 KiB.
            fire(600)
            while seen < 601 and b:ring_buffer_poll(2000) > 0 do end
            t.equal(last, 601)
            t.equal(seen, 601)
            b:cleanup()
        end)
    end
end
