-- SPDX-License-Identifier: Apache-2.0
-- Where in a program, library or the kernel a probe stands: by address, by distance from a function, in one process.

local ffi = require("ffi")
local t = require("harness")
local kprobes = require("help.kprobes")
local programs = require("help.programs")

ffi.cdef("int getpid(void); int getpgid(int pid);")

-- Counts calls by process; keeps the instruction's address and the first argument of the last.
local TEXT = [[
BPF_HASH(calls, u32, u64);
BPF_ARRAY(last, u64, 2);
int probe(struct pt_regs *ctx)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    int place = 0, argument = 1;
    u64 ip = PT_REGS_IP(ctx), value = PT_REGS_PARM1(ctx);

    calls.increment(pid);
    last.update(&place, &ip);
    last.update(&argument, &value);
    return 0;
}
int other(struct pt_regs *ctx)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    calls.increment(pid, 100);
    return 0;
}
]]

-- What `nm` says of a function, and where in the file the code of that address is.
local function address_and_offset(path, name)
    local address = tonumber(programs.run("nm " .. path):match("(%x+) [Tt] " .. name .. "\n"), 16)
    for line in programs.run("readelf -lW " .. path):gmatch("[^\n]+") do
        local offset, start, size = line:match("LOAD%s+0x(%x+) 0x(%x+) 0x%x+ 0x(%x+)")
        local within = offset and address - tonumber(start, 16)
        if within and within >= 0 and within < tonumber(size, 16) then
            return address, tonumber(offset, 16) + within
        end
    end
end

local PROGRAM = [[
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) int twice(int n) { __asm__("nop; nop; nop"); return n * 2; }
int main(void) { printf("%d %d %p\n", twice(21), getpid(), (void *)twice); return 0; }
]]

local lacking = programs.lacking("nm", "readelf")

t.test_unless(lacking, "a function by its address, as symbols have it and as an offset in the file", function()
    programs.in_folder(function(folder)
        local kinds = {
            plain = "-O1 -no-pie",
            independent = "-O1 -pie -fPIE",
            -- Addresses that are no offsets.
            far = "-O1 -pie -fPIE -Wl,-Ttext-segment=0x2000000",
        }
        local b = BPF({ text = TEXT })
        for kind, flags in pairs(kinds) do
            local path = programs.compile(folder .. "/" .. kind, PROGRAM, flags)
            local address, offset = address_and_offset(path, "twice")
            t.equal(kind == "far" and address == offset, false)
            t.equal(BPF.get_user_addresses(path, "twice$")[1], ffi.cast("uint64_t", address))
            for _, addr in ipairs({ address, offset, ffi.cast("uint64_t", address) }) do
                b:attach_uprobe({ name = path, addr = addr, fn_name = "probe" })
                t.contains(b:probes()[1].resolved[1], ("%s:0x%x"):format(path, offset))
                local pid = tonumber(programs.run(path):match("^42 (%d+)"))
                t.equal(b.calls[pid], 1ULL)
                t.equal(b.last[1], 21ULL)
                b:detach_uprobe({ name = path, addr = addr })
                t.equal(#b:probes(), 0)
            end
        end
        local err = t.fails(b.attach_uprobe, b, { name = folder .. "/plain", addr = 0x7fffffff0000, fn_name = "probe" })
        t.contains(err, "there is no code at the address 0x7fffffff0000 of")
        t.contains(err, "an address is what `nm` and `objdump` show")
        t.equal(#b:probes(), 0)
        b:cleanup()
    end)
end)

t.test_unless(lacking, "each of several functions of one name", function()
    programs.in_folder(function(folder)
        local part = [[static __attribute__((noinline)) int helper(int n) { __asm__(""); return n + %d; }
int of_%s(int n) { return helper(n); }
]]
        local objects = {}
        for i, name in ipairs({ "one", "two", "three" }) do
            objects[i] = programs.compile(folder .. "/" .. name .. ".o", part:format(i, name), "-c -O1")
        end
        local path = programs.compile(folder .. "/program", [[
#include <stdio.h>
#include <unistd.h>
int of_one(int), of_two(int), of_three(int);
int main(void) { printf("%d %d\n", of_one(of_two(of_three(1))), getpid()); return 0; }
]], "-O1 " .. table.concat(objects, " "))
        t.equal(#BPF.get_user_functions(path, "helper$"), 3)
        local b = BPF({ text = TEXT })
        b:attach_uprobe({ name = path, sym_re = "helper$", fn_name = "probe" })
        t.equal(BPF.num_open_uprobes(), 3)
        local pid = tonumber(programs.run(path):match("^7 (%d+)"))
        t.equal(b.calls[pid], 3ULL)
        b:detach_uprobe({ name = path, sym = "helper" })
        t.equal(#b:probes(), 0)
        b:cleanup()
    end)
end)

t.test_unless(lacking or jit.arch ~= "x64" and "it is for x86-64", "a place behind a function's start", function()
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/program", PROGRAM, "-O1 -no-pie -fcf-protection=none")
        local start = address_and_offset(path, "twice")
        local b = BPF({ text = TEXT })
        for distance = 1, 3 do
            b:attach_uprobe({ name = path, sym = "twice", sym_off = distance, fn_name = "probe" })
            t.contains(b:probes()[1].target, ("twice+0x%x"):format(distance))
            programs.run(path)
            t.equal(b.last[0], ffi.cast("uint64_t", start + distance))
            -- That of the function itself is another.
            t.contains(t.fails(b.detach_uprobe, b, { name = path, sym = "twice" }), "twice")
            t.equal(#b:probes(), 1)
            b:detach_uprobe({ name = path, sym = "twice", sym_off = distance })
            t.equal(#b:probes(), 0)
        end
        b:cleanup()
    end)
end)

-- `movl` of 5 bytes, `leal` of 3, `ret`.
local KNOWN = [[
#include <stdio.h>
#include <unistd.h>
int known(void);
__asm__(".text\n.globl known\n.type known, @function\nknown: movl $41, %eax\n leal 1(%rax), %eax\n ret\n.size known, . - known\n");
int main(void) { printf("%d %d\n", known(), getpid()); return 0; }
]]

t.test_unless(lacking or jit.arch ~= "x64" and "it is for x86-64", "no place inside an instruction, nor behind a function", function()
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/program", KNOWN, "-O1 -no-pie")
        local start = address_and_offset(path, "known")
        local b = BPF({ text = TEXT })
        local function refused(options)
            options.name, options.fn_name = path, "probe"
            local err = t.fails(b.attach_uprobe, b, options)
            t.equal(#b:probes(), 0)
            -- What the kernel would have made of it: a program that crashes, or says something else.
            t.equal(programs.run(path):match("^%d+"), "42")
            return err
        end
        for off, around in pairs({ [1] = { 0, 5 }, [4] = { 0, 5 }, [6] = { 5, 3 }, [7] = { 5, 3 } }) do
            local err = refused({ sym = "known", sym_off = off })
            t.contains(err, ("the offset %d of `known` is inside an instruction"):format(off))
            t.contains(err, ("the one at offset %d is %d bytes long"):format(around[1], around[2]))
            t.contains(err, ("instructions begin at the offsets %d and %d"):format(around[1], around[1] + around[2]))
            t.contains(refused({ addr = start + off }), ("the offset %d of `known` is inside an instruction"):format(off))
        end
        t.contains(refused({ sym = "known", sym_off = 9 }), "`known` is 9 bytes long: the offset 9 is behind its end")
        t.contains(refused({ sym = "known", sym_off = 1000 }), "the offset 1000 is behind its end")
        for _, off in ipairs({ 5, 8 }) do
            for _, options in ipairs({ { sym = "known", sym_off = off }, { addr = start + off } }) do
                options.name, options.fn_name = path, "probe"
                b:attach_uprobe(options)
                local result, pid = programs.run(path):match("^(%d+) (%d+)")
                t.equal(result, "42")
                t.equal(b.calls[tonumber(pid)], 1ULL)
                t.equal(b.last[0], ffi.cast("uint64_t", start + off))
                b:detach_uprobe(options)
            end
        end
        b:cleanup()
    end)
end)

t.test_unless(lacking, "in one process, and not in another of the same program", function()
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/program", [[
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) int twice(int n) { __asm__(""); return n * 2; }
int main(void)
{
    char line[64];
    for (printf("%d\n", getpid()), fflush(stdout); fgets(line, sizeof(line), stdin); fflush(stdout))
        printf("%d\n", twice(21));
    return 0;
}
]], "-O1")
        local one, two = programs.serve(path, folder), programs.serve(path, folder)
        local b = BPF({ text = TEXT })
        local options = { name = path, sym = "twice", pid = one.pid, fn_name = "probe" }
        b:attach_uprobe(options)
        t.equal(one:ask("go") .. two:ask("go"), "4242")
        t.equal(b.calls[one.pid], 1ULL)
        t.equal(b.calls[two.pid], nil)
        -- Without `pid`, it is another probe.
        t.equal(pcall(b.detach_uprobe, b, { name = path, sym = "twice" }), false)
        b:detach_uprobe(options)
        one:ask("go")
        t.equal(b.calls[one.pid], 1ULL)
        one:close()
        two:close()
        b:cleanup()
    end)
end)

t.test_unless(kprobes.lacking or jit.arch ~= "x64" and "it is for x86-64", "behind the start of a kernel function", function()
    local address = BPF.ksymname("__x64_sys_getpgid")
    local hit, refused = 0, 0
    local b = BPF({ text = TEXT })
    for distance = 1, 12 do
        b.calls:clear()
        local ok, err = pcall(b.attach_kprobe, b, { event = "__x64_sys_getpgid", event_off = distance, fn_name = "probe" })
        if ok then
            ffi.C.getpgid(0)
            t.equal(b:probes()[1].mechanism, "kprobe")
            -- Not every instruction is on the way of this call.
            if b.calls[ffi.C.getpid()] then
                -- The breakpoint is one byte; a jump in its place has no other address.
                t.equal(b.last[0] - address, ffi.cast("uint64_t", distance + 1))
                hit = hit + 1
            end
            b:detach_kprobe({ event = "__x64_sys_getpgid" })
        else
            -- In the midst of an instruction.
            refused = refused + 1
            t.contains(err, "__x64_sys_getpgid")
        end
        t.equal(#b:probes(), 0)
    end
    b:cleanup()
    t.equal(hit > 0 and refused > 0, true)
end)

t.test_unless(kprobes.lacking, "several functions at one event, and taking away one or all", function()
    local event = BPF.get_syscall_fnname("getpgid")
    for _, kind in ipairs({ "kprobe", "kretprobe" }) do
        local b = BPF({ text = TEXT })
        local me = ffi.C.getpid()
        local function calls_of_one_more()
            local before = tonumber(b.calls[me] or 0)
            ffi.C.getpgid(0)
            return tonumber(b.calls[me] or 0) - before
        end
        local attach, detach = b["attach_" .. kind], b["detach_" .. kind]
        t.equal(attach(b, { event = event, fn_name = "probe" }), b)
        attach(b, { event = event, fn_name = "other" })
        t.equal(calls_of_one_more(), 101)
        detach(b, { event = event, fn_name = "probe" })
        t.equal(calls_of_one_more(), 100)
        attach(b, { event = event, fn_name = "probe" })
        detach(b, { event = event })
        t.equal(calls_of_one_more(), 0)
        t.equal(#b:probes(), 0)
        t.contains(t.fails(detach, b, { event = event }), "getpgid")
        b:cleanup()
    end
end)
