-- SPDX-License-Identifier: Apache-2.0
-- Stacks by their numbers: the kernel's at a kprobe, and a process's by the build IDs of its files.

local ffi = require("ffi")
local t = require("harness")
local kprobes = require("help.kprobes")

ffi.cdef("int getpid(void); int getuid(void);")

t.test_unless(kprobes.lacking, "the stack of a function of the kernel", function()
    local b = BPF({ text = ([[
BPF_STACK_TRACE(stacks, 10240);
BPF_HASH(found, int, int);
int on_read(struct pt_regs *ctx)
{
    int id, key = 1;

    if (bpf_get_current_pid_tgid() >> 32 != %d)
        return 0;
    id = stacks.get_stackid(ctx, BPF_F_REUSE_STACKID);
    if (id >= 0)
        found.update(&key, &id);
    return 0;
}
]]):format(ffi.C.getpid()) })
    b:attach_kprobe({ event = "vfs_read", fn_name = "on_read", mechanism = "kprobe" })
    local file = assert(io.open("/proc/self/stat"))
    file:read("*a")
    file:close()
    b:detach_kprobe({ event = "vfs_read" })
    t.equal(b.found[2], nil)
    local id = b.found[1]
    t.equal(id >= 0, true)
    local names = b.stacks:get(id, BPF.ksym)
    t.equal(names[1], "vfs_read")
    t.equal(BPF.ksym(b.stacks[id].ip[0]), "vfs_read")
    t.contains(table.concat(names, " "), "ksys_read")
    b:cleanup()
end)

t.test("the stack of a process, by build IDs", function()
    local b = BPF({ text = ([[
BPF_STACK_TRACE_BUILDID(stacks, 10240);
BPF_HASH(found, int, int);
int syscall__getuid(struct pt_regs *ctx)
{
    int id, key = 1;

    if (bpf_get_current_pid_tgid() >> 32 != %d)
        return 0;
    id = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    if (id >= 0)
        found.update(&key, &id);
    return 0;
}
]]):format(ffi.C.getpid()) })
    b:attach_kprobe({ event = b:get_syscall_fnname("getuid"), fn_name = "syscall__getuid" })
    ffi.C.getuid()
    t.equal(b.found[1] ~= nil, true)
    local first = b.stacks:get(b.found[1])[1]
    if ffi.istype("uint64_t", first) then
        return t.skip("by build IDs", "no function of a file with a build ID that the kernel knows")
    end
    b:add_module(BPF.find_library("c", ffi.C.getpid()))
    t.contains(b:sym(first, -1), "getuid")
    t.contains(b:sym(b.stacks[b.found[1]].trace[0], -1), "getuid")
    b:cleanup()
end)
