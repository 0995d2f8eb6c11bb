-- SPDX-License-Identifier: Apache-2.0
-- bcc-lua's contract to the letter, in a script of that contract: what it is given, `BPF:new`, its methods, tables,
-- buffers, the trace pipe. bcc's own scripts are run by the suite `bcc_lua`.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
int getppid(void);
int getpid(void);
int usleep(unsigned microseconds);
]])

local function count_calls(BPF, options)
    local b = BPF:new{text = [[
BPF_ARRAY(calls, u64, 4);
int count(struct pt_regs *ctx) {
    if (bpf_get_current_pid_tgid() >> 32 == PID)
        calls.increment(SLOT);
    return 0;
}]], cflags = { "-DPID=" .. ffi.C.getpid(), "-DSLOT=" .. (options.slot or 0) }}
    return b
end

local function tables(BPF)
    t.test("hashes", function()
        local b = BPF:new{text = [[
struct key_t { u32 a; u32 b; };
BPF_HASH(pairs, struct key_t, u64, 64);
BPF_HASH(plain, u32, u32, 64);]]}
        local pairs_of, plain = b:get_table("pairs"), b:get_table("plain", "uint32_t", "uint32_t")
        t.equal(plain:get(1), nil)
        plain:set(1, 10)
        plain:set(2, 20)
        t.equal(plain:get(2), 20)
        t.equal(plain:size(), 2)
        local sum, keys = 0, 0
        for key, value in plain:items() do
            sum = sum + key * value
            -- What is deleted meanwhile does not end the walk.
            plain:delete(key)
        end
        t.equal(sum, 50)
        for _ in plain:keys() do
            keys = keys + 1
        end
        t.equal(keys, 0)
        t.equal(plain:delete(7), false)
        pairs_of:set({ { 3, 4 } }, 5)
        t.equal(tonumber(pairs_of:get({ a = 3, b = 4 })), 5)
        for key, value in pairs_of:items() do
            t.equal(key.a * 10 + key.b, 34)
            t.equal(tonumber(value), 5)
        end
        t.equal(pairs_of:key_sprintf({ { 3, 4 } }), "{ 0x3 0x4 }")
        t.equal(pairs_of:key_scanf("{ 0x3 0x4 }").b, 4)
        t.equal(pairs_of:leaf_sprintf(5), "0x5")
        t.equal(tonumber(pairs_of:leaf_scanf("0x5")), 5)
    end)

    t.test("arrays", function()
        local b = BPF:new{text = "BPF_ARRAY(numbers, u32, 3); BPF_ARRAY(wide, u64, 2);"}
        local numbers = b:get_table("numbers")
        for i = 0, 2 do
            numbers:set(i, 10 * (i + 1))
        end
        t.equal(numbers:get(0), 10)
        t.equal(numbers:get(-1), 30)
        numbers:set(-1, 31)
        t.equal(numbers:get(2), 31)
        t.contains(t.fails(numbers.get, numbers, 3), "3 elements")
        -- Values alone, as bcc-lua has it; with their numbers, counted from 1, on demand.
        local values, numbered = {}, {}
        for value in numbers:items() do
            values[#values + 1] = value
        end
        t.equal(table.concat(values, ","), "10,20,31")
        for i, value in numbers:items(true) do
            numbered[#numbered + 1] = i .. "=" .. value
        end
        t.equal(table.concat(numbered, ","), "1=10,2=20,3=31")
        for key in numbers:pairs() do
            t.equal(key < 3, true)
        end
        t.equal(b:get_table("wide"):get(1) == 0ULL, true)
    end)

    t.test("types that bcc-lua cannot tell", function()
        local b = BPF:new{text = [[
struct inner_t { u8 small; u64 large; };
struct leaf_t {
    union { u32 number; char text[4]; };
    struct { u16 x, y; } point;
    struct inner_t list[2];
    u64 flag:1, rest:63;
    unsigned __int128 huge;
} __attribute__((packed));
BPF_HASH(leaves, u32, struct leaf_t, 4);]]}
        local leaves = b:get_table("leaves")
        leaves:set(1, { number = 0x41, point = { x = 2, y = 3 }, list = { { 1, 2 }, { 3, 4 } }, flag = 1, rest = 9, huge = 5 })
        local leaf = leaves:get(1)
        t.equal(ffi.sizeof(leaf), 4 + 4 + 32 + 8 + 16)
        t.equal(leaf.number, 0x41)
        t.equal(tostring(leaf.text), tostring(leaf.text))
        t.equal(leaf.point.y, 3)
        t.equal(tonumber(leaf.list[1].large), 4)
        t.equal(tonumber(leaf.rest), 9)
    end)
end

local function programs(BPF)
    t.test("load_func, load_funcs, dump_func", function()
        local b = BPF:new{text = "int one(void *ctx) { return 1; } int two(void *ctx) { return 2; }", debug = 0}
        local one = b:load_func("one", "BPF_PROG_TYPE_KPROBE")
        t.equal(one.name, "one")
        t.equal(one.fd > 0, true)
        t.equal(b:load_func("one", "BPF_PROG_TYPE_KPROBE").fd, one.fd)
        t.equal(#b:load_funcs("BPF_PROG_TYPE_KPROBE"), 2)
        t.equal(#b:load_funcs(), 2)
        t.equal(b:dump_func("two"), "\xb7\0\0\0\2\0\0\0\x95\0\0\0\0\0\0\0")
        t.contains(t.fails(b.load_func, b, "three", "BPF_PROG_TYPE_KPROBE"), "three")
    end)

    t.test("attach_uprobe, and its options", function()
        local b = count_calls(BPF, {})
        local before = BPF.num_open_uprobes()
        t.equal(b:attach_uprobe{name = "c", sym = "getppid", fn_name = "count", pid = ffi.C.getpid()}, b)
        t.equal(b:attach_uprobe{name = "c", sym = "getppid", fn_name = "count", retprobe = true}, b)
        t.equal(BPF.num_open_uprobes() - before, 2)
        ffi.C.getppid()
        t.equal(tonumber(b:get_table("calls"):get(0)), 2)
        t.equal(BPF.num_open_kprobes(), 0)
        b:close()
        t.equal(BPF.num_open_uprobes(), before)
    end)

    t.test("an indirect function is the one that was chosen", function()
        local b = count_calls(BPF, {})
        b:attach_uprobe{name = "c", sym = "strlen", fn_name = "count"}
        -- Through the dynamic linker, as programs call it.
        ffi.cdef("size_t strlen(const char *text);")
        local before = tonumber(b:get_table("calls"):get(0))
        for _ = 1, 5 do
            ffi.C.strlen("measured")
        end
        t.equal(tonumber(b:get_table("calls"):get(0)) - before >= 5, true)
        b:close()
    end)

    t.test("no return where programs start", function()
        local b = count_calls(BPF, {})
        local err = t.fails(b.attach_uprobe, b, {name = "sh", sym = "_start", fn_name = "count", retprobe = true})
        if not err:find("no function `_start`", 1, true) then
            t.contains(err, "does not return")
        end
        b:close()
    end)

    t.test("what a name says is attached once, and when the script waits", function()
        local function new()
            return BPF:new{text = [[
BPF_ARRAY(calls, u64, 1);
TRACEPOINT_PROBE(syscalls, sys_enter_getppid) {
    if (bpf_get_current_pid_tgid() >> 32 == PID)
        calls.increment(0);
    return 0;
}]], cflags = { "-DPID=" .. ffi.C.getpid() }}
        end
        local by_hand, by_name = new(), new()
        by_hand:attach_tracepoint{tp = "syscalls:sys_enter_getppid", fn_name = "tracepoint__syscalls__sys_enter_getppid"}
        ffi.C.getppid()
        t.equal(tonumber(by_hand:get_table("calls"):get(0)), 1)
        t.equal(tonumber(by_name:get_table("calls"):get(0)), 0)
        BPF.sleep(0)
        ffi.C.getppid()
        t.equal(tonumber(by_hand:get_table("calls"):get(0)), 2)
        t.equal(tonumber(by_name:get_table("calls"):get(0)), 1)
        BPF.cleanup()
    end)

    t.test("the limit of probes is the script's to set", function()
        t.equal(BPF.KPROBE_LIMIT, 1000)
        local b = count_calls(BPF, {})
        BPF.KPROBE_LIMIT = BPF.num_open_uprobes() + BPF.num_open_kprobes() + 1
        local one = {name = "c", sym = "getppid", fn_name = "count"}
        b:attach_uprobe(one)
        t.contains(t.fails(b.attach_uprobe, b, one), "`BPF.KPROBE_LIMIT` is 1")
        BPF.KPROBE_LIMIT = 1000
        b:close()
    end)

    local kprobes = io.open("/sys/bus/event_source/devices/kprobe/type")
    t.test_unless(not kprobes and "this kernel has no kprobes", "attach_kprobe, and its options", function()
        local b = count_calls(BPF, {})
        t.equal(b:attach_kprobe{event = "do_nanosleep", fn_name = "count"}, b)
        b:attach_kprobe{event = "do_nanosleep", fn_name = "count", retprobe = true, maxactive = 8}
        t.equal(BPF.num_open_kprobes(), 2)
        ffi.C.usleep(1000)
        t.equal(tonumber(b:get_table("calls"):get(0)), 2)
        b:attach_kprobe{event = "do_nanosleep", fn_name = "count", fn_offset = 0}
        t.equal(BPF.num_open_kprobes(), 3)
        BPF.cleanup()
        t.equal(BPF.num_open_kprobes(), 0)
    end)
end

local EVENTS = [[
struct event_t { u64 number; char name[NAME]; };
BPF_PERF_OUTPUT(events);
int submit(struct pt_regs *ctx) {
    struct event_t event = { .number = 7 };
    if (bpf_get_current_pid_tgid() >> 32 != PID)
        return 0;
    bpf_get_current_comm(&event.name, sizeof(event.name));
    events.perf_submit(ctx, &event, sizeof(event));
    bpf_trace_printk("submitted %d\n", 7);
    return 0;
}]]

local function buffers(BPF)
    local function new()
        local b = BPF:new{text = EVENTS, cflags = { "-DNAME=16", "-DPID=" .. ffi.C.getpid() }}
        b:attach_uprobe{name = "c", sym = "getppid", fn_name = "submit"}
        return b
    end

    t.test("open_perf_buffer, with a C type and its parameters", function()
        local b = new()
        local got, seen = {}, nil
        b:get_table("events"):open_perf_buffer(function(cpu, event)
            got[#got + 1] = tonumber(event.number)
            seen = { cpu = cpu, name = ffi.string(event.name) }
        end, "struct { uint64_t number; char name[$]; }", { 16 }, 8, function(cookie, lost)
            error("nothing is lost: " .. tostring(cookie) .. " " .. tostring(lost))
        end)
        ffi.C.getppid()
        ffi.C.getppid()
        while #got < 2 do
            b:perf_buffer_poll(1000)
        end
        ffi.C.getppid()
        while #got < 3 do
            b:kprobe_poll(1000)
        end
        t.equal(table.concat(got, ","), "7,7,7")
        t.equal(type(seen.cpu), "number")
        t.equal(seen.name, io.open("/proc/self/comm"):read())
        b:close()
    end)

    t.test("what is lost is told to the last argument", function()
        local b = new()
        local lost = 0
        b:get_table("events"):open_perf_buffer(function() end, "struct { uint64_t number; }", nil, 1, function(cookie, count)
            t.equal(cookie, nil)
            lost = lost + count
        end)
        for _ = 1, 400 do
            ffi.C.getppid()
        end
        -- The kernel tells with the next event that has room.
        for _ = 1, 100 do
            b:perf_buffer_poll(10)
            ffi.C.getppid()
        end
        t.equal(lost > 0 and lost < 500, true)
        b:close()
    end)

    t.test("the trace pipe", function()
        local b = new()
        local pipe = b:pipe()
        local function mine(what)
            return what and what:find("submitted 7", 1, true)
        end
        local task, pid, cpu, flags, ts, msg
        repeat
            ffi.C.getppid()
            task, pid, cpu, flags, ts, msg = pipe:trace_fields()
        until mine(msg) and pid == ffi.C.getpid()
        t.equal(task, io.open("/proc/self/comm"):read())
        t.equal(type(cpu) == "number" and type(ts) == "number" and #flags >= 4, true)
        local line
        repeat
            ffi.C.getppid()
            line = pipe:readline()
        until mine(line)
        local opened = b:trace_open(true)
        repeat
            ffi.C.getppid()
            line = opened:readline()
        until mine(line)
        while opened:readline() do end
        pipe:close()
        b:close()
    end)

    t.test("the loop ends, and the code after it runs", function()
        local b = new()
        b:get_table("events"):open_perf_buffer(function()
            BPF.exit()
        end, "struct { uint64_t number; }")
        ffi.C.getppid()
        local ok, why = b:kprobe_poll_loop()
        t.equal(ok, false)
        t.equal(why, "interrupted!")
    end)
end

local function others(BPF, utils)
    t.test("what the script is given", function()
        t.equal(BPF, _G.BPF)
        t.equal(type(utils.argparse), "function")
        t.equal(type(utils.posix.time_ns()), "number")
        t.equal(utils.USDT, _G.USDT)
        t.equal(arg[1], nil)
        t.equal(require("bcc.init").BPF, BPF)
        t.equal(require("bcc.bpf"), BPF)
    end)

    t.test("an error is a text", function()
        local ok, err = pcall(BPF.new, BPF, {text = "int wrong(void *ctx) { if (); return 0; }"})
        t.equal(ok, false)
        t.equal(string.find(err, "failed to compile BPF module", 1, true), 1)
        t.contains(err, "expected expression")
        t.equal(err:match("error: C text"), "error: C text")
        t.equal(("%s"):format(err), tostring(err))
        t.equal(#("" .. err) > 20, true)
    end)

    t.test("src_file is looked for here, beside the script, and where script_root says", function()
        t.contains(t.fails(BPF.new, BPF, {src_file = "no_such.c"}), "no_such.c")
        local folder = os.spawn("mktemp -d"):gsub("%s+$", "")
        local file = assert(io.open(folder .. "/text.c", "w"))
        file:write("BPF_HASH(from_file);")
        file:close()
        t.equal(BPF.script_root(folder .. "/script.lua"), BPF)
        BPF:new{src_file = "text.c"}:get_table("from_file")
        BPF:new{src_file = folder .. "/text.c"}:get_table("from_file")
        os.execute("rm -r " .. folder)
        t.contains(t.fails(BPF.script_root, 5), "must be a string")
    end)

    t.test("symbols", function()
        local symbols = BPF.SymbolCache(ffi.C.getpid())
        local address = ffi.cast("uint64_t", ffi.cast("void *", ffi.C.getppid))
        local name, offset = symbols:resolve(address + 1)
        t.equal(name:find("getppid", 1, true) ~= nil and tonumber(offset) == 1, true)
        name, offset = symbols:resolve(1)
        t.equal(name, "[unknown]")
        t.equal(tonumber(offset), 0)
        -- memleak.lua calls it, and bcc-lua has none.
        symbols:refresh()
    end)

    t.test("log.info", function()
        t.equal(log.enabled, false)
        log.info("not shown %d", 1)
    end)
end

-- Last, because there is nothing after the end.
local function the_end(BPF)
    t.test("a script that reads the trace pipe for ever is interrupted", function()
        local pipe = BPF:new{text = "int f(void *ctx) { return 0; }"}:pipe()
        BPF.after(0.01, function() BPF.exit() end)
        local ok, why = pcall(function()
            while true do
                pipe:trace_fields()
            end
        end)
        t.equal(ok, false)
        t.equal(why, "interrupted!")
    end)
end

return function(BPF, utils)
    others(BPF, utils)
    tables(BPF)
    programs(BPF)
    buffers(BPF)
    the_end(BPF)
end
