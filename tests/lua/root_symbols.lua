-- SPDX-License-Identifier: Apache-2.0
-- Names of addresses, against what the kernel and the C library tell themselves.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
    int getpid(void);
    void *dlsym(void *handle, const char *name);
    int getppid(void);
]])
local me = ffi.C.getpid()

-- Code of the kernel itself as /proc/kallsyms has it: names by address, in text.
local names, order = {}, {}
for line in io.lines("/proc/kallsyms") do
    local address, kind, name, rest = line:match("^(%x+) (%a) (%S+)(.*)$")
    if address and kind:lower() == "t" and rest == "" and not name:find("^__pfx_") and address:sub(1, 1) == "f" then
        if not names[address] then
            names[address], order[#order + 1] = {}, address
        end
        names[address][name] = true
    end
end

t.test("kernel functions have the names of /proc/kallsyms", function()
    assert(#order > 1000, "kallsyms does not tell addresses")
    for i = 1, #order, 499 do
        local name = BPF.ksym("0x" .. order[i])
        -- Data may stand at the same address; the code's name is told.
        assert(names[order[i]][name], order[i] .. " is " .. name)
    end
end)

t.test("names and addresses of the kernel are each other's inverse", function()
    local address = BPF.ksymname("vfs_read")
    t.equal(ffi.istype("uint64_t", address), true)
    t.equal(BPF.ksym(address, true, true), "vfs_read+0x0 [kernel]")
    t.equal(BPF.ksym(address + 1, true, true), "vfs_read+0x1 [kernel]")
    t.equal(BPF.ksym(address + 1), "vfs_read")
    t.equal(BPF.ksym(address + 1, true), "vfs_read [kernel]")
    t.equal(BPF.ksym(address + 1, false, true), "vfs_read+0x1")
    t.equal(BPF.sym(address + 1, -1, true, true), "vfs_read+0x1 [kernel]")
    t.equal(BPF.sym(address, -5), "vfs_read")
    t.equal(BPF.ksymname("no_such_function"), -1)
    t.equal(BPF.ksym(0x1000), "[unknown]")
    t.equal(BPF.ksym(-1), "[unknown]")
    t.equal(BPF.ksym(0xffffffffffffffffULL, true, true), "[unknown]")
end)

t.test("every form of an address is the same address", function()
    local address = BPF.ksymname("vfs_read")
    local text = bit.tohex(address)
    t.equal(BPF.ksym("0x" .. text), "vfs_read")
    t.equal(BPF.ksym(text), "vfs_read")
    t.equal(BPF.ksym("0X" .. text:upper()), "vfs_read")
    t.equal(BPF.ksym(ffi.cast("int64_t", address)), "vfs_read")
    -- As a signed number, a kernel address is small enough to be exact.
    t.equal(BPF.ksym(tonumber(ffi.cast("int64_t", address))), "vfs_read")
    t.equal(BPF.ksym(ffi.cast("void *", address)), "vfs_read")
end)

t.test("options in order and by name", function()
    local address = BPF.ksymname("vfs_read") + 16
    t.equal(BPF.ksym(address, { show_offset = true }), "vfs_read+0x10")
    t.equal(BPF.ksym({ addr = address, show_module = true }), "vfs_read [kernel]")
    t.equal(BPF.sym(address, -1, { show_offset = true, show_module = true }), "vfs_read+0x10 [kernel]")
    t.equal(BPF.sym({ addr = address, pid = -1, show_offset = true }), "vfs_read+0x10")
    t.contains(t.fails(BPF.ksym, address, { show_ofset = true }), "did you mean `show_offset`?")
    t.contains(t.fails(BPF.ksym, { show_module = true }), "`ksym` needs the option `addr`")
    t.contains(t.fails(BPF.sym, { addr = address, pid = "x" }), "option `pid` of `sym` is a string")
end)

t.test("what is no address, no process, no name", function()
    t.contains(t.fails(BPF.ksym), "`ksym` does not take a nil for an address")
    t.contains(t.fails(BPF.ksym, true), "`ksym` does not take a boolean for an address")
    t.contains(t.fails(BPF.ksym, "vfs_read"), "text must be a hexadecimal number of 64 bits")
    t.contains(t.fails(BPF.ksym, "0x1ffffffffffffffff"), "text must be a hexadecimal number of 64 bits")
    t.contains(t.fails(BPF.ksym, 1.5), "it must be a whole number")
    t.contains(t.fails(BPF.ksym, 2 ^ 60), "has lost its last digits")
    t.contains(t.fails(BPF.sym, 1), "`sym` needs the argument `pid`")
    t.contains(t.fails(BPF.sym, 1, "x"), "argument `pid` of `sym` is a string")
    t.contains(t.fails(BPF.sym, 1, 1.5), "argument `pid` of `sym` is 1.5: it must be a whole number")
    t.contains(t.fails(BPF.ksymname), "the name is a nil, not text")
    t.contains(t.fails(BPF.ksymname, 5), "the name is a number, not text")
    t.contains(t.fails(BPF.SymbolCache, "x"), "argument `pid` of `SymbolCache` is a string")
    t.contains(t.fails(BPF.SymbolCache, 2 ^ 31 - 1), "there is no such process (ESRCH)")
    t.contains(t.fails(BPF.add_module, "/no/such/file"), "cannot add module `/no/such/file`: no such file or directory (ENOENT)")
    t.contains(t.fails(function() return BPF.SymbolCache().reslove end), "did you mean `resolve`?")
end)

t.test("functions of a process", function()
    local address = ffi.cast("uint64_t", ffi.cast("uintptr_t", ffi.C.dlsym(nil, "getenv")))
    t.contains(BPF.sym(address, me, true, true), "getenv+0x0 [libc.so.6]")
    t.contains(BPF.sym(address + 1, me, false, true), "getenv+0x1")
    t.equal(BPF.sym(1, me, true, true), "[unknown]")
    t.equal(BPF.sym(address, 2 ^ 31 - 1), "[unknown]")
    -- A 64-bit pid_tgid shifted down.
    t.contains(BPF.sym(address, ffi.cast("uint64_t", me)), "getenv")
end)

t.test("a cache of names, as bcc-lua's scripts use it", function()
    local address = ffi.cast("uint64_t", ffi.cast("uintptr_t", ffi.C.dlsym(nil, "getenv")))
    local cache = BPF.SymbolCache(me)
    t.equal(cache.pid, me)
    local name, offset, module, why = cache:resolve(address + 2)
    t.contains(name, "getenv")
    t.equal(offset, 2)
    t.contains(module, "/libc.so.6")
    t.equal(why, nil)
    name, offset, module, why = cache:resolve(1)
    t.equal(name, "[unknown]")
    t.equal(offset, 0)
    t.equal(module, nil)
    t.equal(why, "nothing is mapped there")
    t.equal(cache:resolve_name("libc.so.6", "getenv"), address)
    t.equal(cache:resolve_name("getenv"), address)
    t.equal(cache:resolve_name("libc.so.6", "no_such_function"), -1)
    t.equal(cache:resolve_name("no_such_library.so", "getenv"), -1)
    t.equal(cache:refresh(), true)

    local kernel = BPF.SymbolCache()
    t.equal(kernel.pid, false)
    t.equal(BPF.SymbolCache(-1).pid, false)
    local read = kernel:resolve_name(nil, "vfs_read")
    t.equal(read, BPF.ksymname("vfs_read"))
    name, offset, module = kernel:resolve(read + 5)
    t.equal(name, "vfs_read")
    t.equal(offset, 5)
    t.equal(module, "kernel")
    t.equal(kernel:refresh(), true)
    t.equal(kernel:line(read), nil)
end)

local b = BPF({ text = [[
BPF_STACK_TRACE(stacks, 256);
BPF_STACK_TRACE_BUILDID(by_id, 256);
struct stack { int kernel; int user; int by_id; };
BPF_HASH(seen, u32, struct stack);

RAW_TRACEPOINT_PROBE(sched_switch)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    struct stack stack = {};

    if (pid != OURS)
        return 0;
    stack.kernel = stacks.get_stackid(ctx, 0);
    stack.user = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    stack.by_id = by_id.get_stackid(ctx, BPF_F_USER_STACK);
    seen.update(&pid, &stack);
    return 0;
}
]], cflags = { "-DOURS=" .. me } })

-- Waiting is being switched away from; so is the end of our turn, which is not what is looked for here.
local kernel_id, user_id, by_id
for _ = 1, 200 do
    BPF.sleep(0.01)
    local seen = b.seen[me]
    local names = seen and b.stacks:get(seen.kernel, BPF.ksym)
    if names and table.concat(names, " "):find("epoll_wait") then
        kernel_id, user_id, by_id = seen.kernel, seen.user, seen.by_id
        break
    end
end

t.test("a kernel stack", function()
    local frames = b.stacks:get(kernel_id, BPF.ksym)
    local text = table.concat(frames, "\n")
    t.contains("\n" .. text .. "\n", "\nschedule\n")
    -- The innermost is our program, loaded after the symbols were read.
    t.contains(frames[1], "bpf_prog_")
    t.contains(BPF.ksym(b.stacks:get(kernel_id)[1], true), " [bpf]")
    local walked = {}
    for addr in b.stacks:walk(kernel_id) do
        t.equal(ffi.istype("uint64_t", addr), true)
        walked[#walked + 1] = BPF.ksym(addr)
    end
    t.equal(table.concat(walked, "\n"), text)
    walked = {}
    for name in b.stacks:walk(kernel_id, BPF.ksym) do
        walked[#walked + 1] = name
    end
    t.equal(table.concat(walked, "\n"), text)
    -- The value as bcc has it.
    t.equal(b.stacks[kernel_id].ip[0], b.stacks:get(kernel_id)[1])
    t.equal(b.stacks[kernel_id].ip[#frames], 0ULL)
end)

t.test("a user stack, by address and by build ID", function()
    local by_address = b.stacks:get(user_id)
    local frames = b.by_id:get(by_id)
    t.contains(BPF.sym(by_address[1], me, true), " [libc.so.6]")
    if ffi.istype("uint64_t", frames[1]) then
        return -- a file without a build ID
    end
    t.equal(frames[1].status, 1)
    t.equal(BPF.sym(frames[1], me, true, true), BPF.sym(by_address[1], me, true, true))
    -- Without the process, by a file that was named.
    t.equal(BPF.sym(frames[1], -1, true, true), "[unknown]")
    local _, _, module = BPF.SymbolCache(me):resolve(by_address[1])
    BPF.add_module(module)
    t.equal(BPF.sym(frames[1], -1, true, true), BPF.sym(by_address[1], me, true, true))
end)

t.test("stacks that are not there give the reason", function()
    local none, why = b.stacks:walk(-14)
    t.equal(none, nil)
    t.contains(why, "EFAULT")
    none, why = b.stacks:get(-17)
    t.equal(none, nil)
    t.contains(why, "EEXIST")
    none, why = b.stacks:get(ffi.new("uint32_t", 0xfffffff2))
    t.equal(none, nil)
    t.contains(why, "EFAULT")
    none, why = b.stacks:walk(-12)
    t.contains(why, "ENOMEM")
    none, why = b.stacks:walk(123456)
    t.equal(none, nil)
    t.equal(why, "the map has no stack of this number")
    t.equal(b.stacks[-14], nil)
    t.contains(t.fails(function() b.stacks:walk("x") end), "a stack's number is what `get_stackid` gave")
    t.contains(t.fails(function() b.stacks:walk(1.5) end), "cannot look up stack 1.5 of map `stacks`")
    t.contains(t.fails(function() b.seen:walk(1) end), "it is of type hash, not stack_trace")
end)

t.test("functions of BPF through an object", function()
    local address = BPF.ksymname("vfs_read")
    t.equal(b:ksym(address), "vfs_read")
    t.equal(b:sym(address, -1, false, true), "vfs_read+0x0")
end)

t.test("frames of processes that are gone: by build IDs, and by nothing else", function()
    local b = BPF({ text = [[
BPF_STACK_TRACE(addresses, 1024);
BPF_STACK_TRACE_BUILDID(by_id, 1024);
struct sample_t { u32 pid; int addresses, by_id; };
BPF_PERF_OUTPUT(samples);
int sampled(struct pt_regs *ctx)
{
    struct sample_t sample = { .pid = bpf_get_current_pid_tgid() >> 32 };
    sample.addresses = addresses.get_stackid(ctx, BPF_F_USER_STACK);
    sample.by_id = by_id.get_stackid(ctx, BPF_F_USER_STACK);
    samples.perf_submit(ctx, &sample, sizeof(sample));
    return 0;
}
]] })
    b:attach_uprobe({ name = "c", sym = "getenv", fn_name = "sampled" })
    local samples = {}
    b.samples:open_perf_buffer(function(_, sample)
        samples[#samples + 1] = sample:copy()
    end)
    local shell = io.popen("echo $$; exec sh -c 'exec ls / >/dev/null'")
    local pid = shell:read("*n")
    shell:close()
    BPF.add_module(BPF.find_library("c"))
    b:perf_buffer_poll(10000)
    local gone, named = 0, 0
    for _, sample in ipairs(samples) do
        if sample.pid == pid then
            gone = gone + 1
            -- At its first instruction: the innermost frame is the function itself.
            local frame = b.by_id:walk(sample.by_id)()
            t.equal(BPF.sym(frame, pid, true, true), "getenv+0x0 [libc.so.6]")
            t.equal(BPF.sym(b.addresses:walk(sample.addresses)(), pid, true, true), "[unknown]")
            named = named + 1
        end
    end
    t.equal(gone > 0 and named == gone, true)
    b:cleanup()
end)
