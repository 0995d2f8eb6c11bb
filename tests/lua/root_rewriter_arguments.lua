-- SPDX-License-Identifier: Apache-2.0
-- Typed parameters where the name of a function says what they are: system calls under every kernel's name, with the fourth
-- argument in a register of its own; structs that fit into a register; contexts of words; many arguments by fentry.

local ffi = require("ffi")
local kprobes = require("help.kprobes")
local t = require("harness")

ffi.cdef([[
int getpid(void);
int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
char *inet_ntoa(uint32_t address);
void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset);
int munmap(void *address, size_t length);
int open(const char *path, int flags, ...);
int close(int fd);
]])

local HEAD = [[
BPF_ARRAY(got, u64, 16);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. ffi.C.getpid() } })
end

local function values(b, count)
    local list = {}
    for slot = 0, count - 1 do
        list[#list + 1] = tonumber(b.got[slot])
    end
    return table.concat(list, " ")
end

local ARGUMENTS = "int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d"
local SETS = "SET(0, option); SET(1, a); SET(2, b); SET(3, c); SET(4, d);"
-- An option that there is not.
local function call() return ffi.C.prctl(12345, 11, 22, 33, 44) end

for _, name in ipairs({ "kprobe____x64_sys_prctl", "kprobe____arm64_sys_prctl", "kprobe__sys_prctl" }) do
    t.test(name, function()
        local b = open(("int %s(struct pt_regs *ctx, %s) { if (MINE) { %s } return 0; }"):format(name, ARGUMENTS, SETS))
        call()
        t.equal(values(b, 5), "12345 11 22 33 44")
        b:cleanup()
    end)
end

t.test("syscall__NAME, and only some of its parameters", function()
    local b = open(("int syscall__prctl(struct pt_regs *ctx, %s) { if (MINE) { SET(0, option); SET(3, c); } return 0; }"):format(ARGUMENTS))
    b:attach_kprobe({ event = b:get_syscall_fnname("prctl"), fn_name = "syscall__prctl" })
    call()
    t.equal(values(b, 5), "12345 0 0 33 0")
    b:cleanup()
end)

t.test_unless(kprobes.lacking, "the registers of a system call, taken by hand", function()
    -- Each takes the function's one argument for what it is: the place of the call's registers.
    for _, name in ipairs({ "kprobe____x64_sys_prctl", "kprobe__sys_prctl", "syscall__prctl" }) do
        local b = open(("int %s(struct pt_regs *ctx, const struct pt_regs *regs) { if (MINE) { SET(0, PT_REGS_PARM1(regs)); SET(1, PT_REGS_PARM4_SYSCALL(regs)); } return 0; }")
            :format(name))
        if name == "syscall__prctl" then
            b:attach_kprobe({ event = b:get_syscall_fnname("prctl"), fn_name = name })
        end
        call()
        t.equal(values(b, 2), "12345 33")
        b:cleanup()
    end
end)

t.test("a struct that fits into a register", function()
    local b = open([[
struct in_addr_t { u8 bytes[4]; };
struct halves_t { u16 low, high; };
int whole(struct pt_regs *ctx, struct in_addr_t a) { if (MINE) { SET(0, a.bytes[0]); SET(1, a.bytes[3]); } return 0; }
int halves(struct pt_regs *ctx, struct halves_t h) { if (MINE) { SET(2, h.low); SET(3, h.high); } return 0; }
]])
    b:attach_uprobe({ name = "c", sym = "inet_ntoa", fn_name = "whole", pid = ffi.C.getpid() })
    b:attach_uprobe({ name = "c", sym = "inet_ntoa", fn_name = "halves", pid = ffi.C.getpid() })
    t.equal(ffi.string(ffi.C.inet_ntoa(0x01020304)), "4.3.2.1")
    t.equal(values(b, 4), "4 1 772 258")
    b:cleanup()
end)

t.test("a raw tracepoint's words as parameters", function()
    local b = open(([[
int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx, struct pt_regs *regs, long id)
{
    if (MINE && id == NUMBER) { SET(0, PT_REGS_PARM1_SYSCALL(regs)); SET(1, id == ctx->args[1]); }
    return 0;
}
RAW_TRACEPOINT_PROBE(sys_exit) { if (MINE && (long)ctx->args[1] == -22) SET(2, 1); return 0; }
]]):gsub("NUMBER", jit.arch == "x64" and "157" or "167"))
    call()
    t.equal(values(b, 3), "12345 1 1")
    b:cleanup()
end)

-- Its parameters since Linux 6.6, and until 6.5.
local MORE = { "vm_flags, unsigned long pgoff", "pgoff" }

t.test("more parameters than registers, by fentry", function()
    local reasons = {}
    for _, parameters in ipairs(MORE) do
        local ok, b = pcall(open, ([[
KFUNC_PROBE(do_mmap, struct file *file, unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
    unsigned long PARAMETERS, unsigned long *populate, void *uf)
{
    if (MINE && len == 7 * 4096) { SET(0, prot); SET(1, flags); SET(2, pgoff); SET(3, populate != 0); SET(4, file != 0); }
    return 0;
}
]]):gsub("PARAMETERS", parameters))
        if ok then
            local fd = ffi.C.open("/proc/self/exe", 0)
            local place = ffi.C.mmap(nil, 7 * 4096, 1, 2, fd, 3 * 4096)
            ffi.C.munmap(place, 7 * 4096)
            ffi.C.close(fd)
            local got = values(b, 5)
            b:cleanup()
            if got:match("^1 2 3 ") then
                return t.equal(got, "1 2 3 1 1")
            end
        else
            reasons[#reasons + 1] = tostring(b):match("[^\n]*")
        end
    end
    -- None of the two is this kernel's, or its processor's trampolines have no room for so many.
    assert(#reasons > 0, "neither form has the function's arguments")
    t.skip("more parameters than registers, by fentry", table.concat(reasons, "; "))
end)
