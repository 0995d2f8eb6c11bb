-- SPDX-License-Identifier: Apache-2.0
-- System calls of four to six arguments, by every way to them: the fourth travels in another register than a function's.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
long syscall(long number, ...);
int getpid(void);
]])

local C, PID = ffi.C, ffi.C.getpid()

-- Numbers on x86-64 and arm64. None of these calls does anything: each is given what it refuses.
local CALLS = {
    -- prctl(option, 4 more): an option that does not exist.
    { name = "prctl", number = { 157, 167 }, count = 5 },
    -- futex(address, operation, value, timeout, address 2, value 3): an operation that does not exist.
    { name = "futex", number = { 202, 98 }, count = 6, second = 77 },
    -- pselect6: a negative number of descriptors.
    { name = "pselect6", number = { 270, 72 }, count = 6, first = -3 },
    -- sendto, of no descriptor.
    { name = "sendto", number = { 44, 206 }, count = 6, first = -1 },
    -- mmap(address, length, protection, flags, descriptor, offset): an offset within a page.
    { name = "mmap", number = { 9, 222 }, count = 6, sixth = 0x123 },
    -- mount(source, target, type, flags, data): no string at the address.
    { name = "mount", number = { 165, 40 }, count = 5 },
    -- rt_sigaction(signal, act, oldact, sigsetsize): a size that is none.
    { name = "rt_sigaction", number = { 13, 134 }, count = 4 },
}
local MACHINE = ffi.arch == "x64" and 1 or 2

local function arguments(call)
    local given = { call.first or 0x1111, call.second or 0x2222222222LL, 0x33333333, 0x44444444444LL, 0x5555, call.sixth or 0x666666666666LL }
    return { unpack(given, 1, call.count) }
end

local function invoke(call)
    local given = {}
    for i, value in ipairs(arguments(call)) do
        given[i] = ffi.cast("long", value)
    end
    return tonumber(C.syscall(call.number[MACHINE], unpack(given)))
end

local HEAD = [[
BPF_ARRAY(got, u64, 64);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID } })
end

local function check(b, call, where, first)
    for i, wanted in ipairs(arguments(call)) do
        local got = b.got[(first or 0) + i]
        if got ~= ffi.cast("uint64_t", ffi.cast("int64_t", wanted)) then
            error(("%s, %s, argument %d: got 0x%s, wanted 0x%s"):format(call.name, where, i, bit.tohex(got), bit.tohex(ffi.cast("int64_t", wanted))), 2)
        end
    end
end

local NAMES = { "a", "b", "c", "d", "e", "f" }

-- `, long a, long b …`
local function params(call)
    local list = {}
    for i = 1, call.count do
        list[i] = ", long " .. NAMES[i]
    end
    return table.concat(list)
end

-- Statements that set slots by `form`, in which % is the argument's number and $ its name.
local function sets(count, first, form)
    local list = {}
    for i = 1, count do
        list[i] = ("SET(%d, %s);"):format(first + i, (form:gsub("%%", i):gsub("%$", NAMES[i])))
    end
    return table.concat(list, " ")
end

-- Ways that this kernel has not, each told once.
local lacking = {}

t.test("functions of the calls, by every mechanism", function()
    local text = {}
    for i, call in ipairs(CALLS) do
        text[i] = ("int syscall__%s(struct pt_regs *ctx%s) { if (MINE) { %s } return 0; }"):format(call.name, params(call), sets(call.count, 0, "$"))
    end
    local b = open(table.concat(text, "\n") .. ([[
        int by_macros(struct pt_regs *ctx) {
            struct pt_regs *regs = PT_REGS_SYSCALL_REGS(ctx);
            if (MINE) { %s %s }
            return 0;
        }
        int returned(struct pt_regs *ctx) { if (MINE) SET(30, PT_REGS_RC(ctx)); return 0; }]]):format(
        sets(6, 10, "PT_REGS_PARM%_SYSCALL(regs)"),
        sets(6, 20, "PT_REGS_PARM%_CORE_SYSCALL(regs)")
    ))
    for _, call in ipairs(CALLS) do
        local event = b:get_syscall_fnname(call.name)
        for _, mechanism in ipairs({ "sys_enter", "kprobe", "fentry", "auto" }) do
            for fn_name, first in pairs({ ["syscall__" .. call.name] = 0, by_macros = 10 }) do
                local options = { event = event, fn_name = fn_name, mechanism = mechanism }
                if not lacking[mechanism] and t.attaches(mechanism, b.attach_kprobe, b, options) then
                    b.got:clear()
                    invoke(call)
                    check(b, call, fn_name .. " by " .. mechanism, first)
                    if first == 10 then
                        check(b, call, fn_name .. " by " .. mechanism .. ", CORE", 20)
                    end
                    b:detach_kprobe({ event = event, fn_name = fn_name })
                else
                    lacking[mechanism] = true
                end
            end
        end
        -- The result, through whatever serves a kretprobe here.
        b:attach_kretprobe({ event = event, fn_name = "returned" })
        t.equal(invoke(call), -1)
        t.equal(ffi.cast("int64_t", b.got[30]), -ffi.cast("int64_t", ffi.errno()))
        b:detach_kretprobe({ event = event, fn_name = "returned" })
    end
    b:cleanup()
    assert(not lacking.sys_enter and not lacking.auto, "no kernel lacks these")
end)

t.test("tracepoints of all calls", function()
    local b = open(([[
        BPF_ARRAY(wanted, u64, 1);
        static bool is_wanted(u64 number) {
            int zero = 0;
            u64 *id = wanted.lookup(&zero);
            return id && *id == number && MINE;
        }
        TRACEPOINT_PROBE(raw_syscalls, sys_enter) { if (is_wanted(args->id)) { %s } return 0; }
        RAW_TRACEPOINT_PROBE(sys_enter) {
            struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
            if (is_wanted(ctx->args[1])) { %s %s }
            return 0;
        }
        SEC("tp_btf/sys_enter") int BPF_PROG(typed, struct pt_regs *regs, long id) {
            if (is_wanted(id)) { %s }
            return 0;
        }]]):format(
        sets(6, 0, "args->args[% - 1]"),
        sets(6, 10, "PT_REGS_PARM%_CORE_SYSCALL(regs)"),
        sets(6, 20, "PT_REGS_PARM%_SYSCALL(regs)"),
        sets(6, 30, "PT_REGS_PARM%_SYSCALL(regs)")
    ))
    for _, call in ipairs(CALLS) do
        b.wanted[0] = call.number[MACHINE]
        b.got:clear()
        invoke(call)
        for first, where in pairs({ [0] = "tracepoint", [10] = "raw tracepoint, CORE", [20] = "raw tracepoint", [30] = "tp_btf" }) do
            check(b, call, where, first)
        end
    end
    b:cleanup()
end)

t.test("BPF_KSYSCALL", function()
    local text = {}
    for i, call in ipairs(CALLS) do
        local typed = params(call):gsub("^, ", "")
        text[i] = ([[
            SEC("ksyscall/%s") int BPF_KSYSCALL(entered_%d, %s) { if (MINE) { %s } return 0; }
            SEC("kretsyscall/%s") int BPF_KRETPROBE(left_%d, long ret) { if (MINE) SET(30, ret); return 0; }]]):format(
            call.name,
            i,
            typed,
            sets(call.count, 0, "$"),
            call.name,
            i
        )
    end
    local b
    if not lacking.kprobe and t.attaches("kprobe", function() b = open(table.concat(text, "\n")) end) then
        for _, call in ipairs(CALLS) do
            b.got:clear()
            invoke(call)
            check(b, call, "BPF_KSYSCALL")
            t.equal(ffi.cast("int64_t", b.got[30]), -ffi.cast("int64_t", ffi.errno()))
        end
        b:cleanup()
    end
end)
