-- SPDX-License-Identifier: Apache-2.0
-- Sections of the user's for kernel functions and system calls: the same stand-ins as for bcc's prefixes.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int pid, int sig); int rmdir(const char *path); long process_vm_readv(int pid, long b, long c, long d, long e, long f);")
local C = ffi.C
local EINVAL = 22

local b = BPF{ constants = { us = C.getpid() }, text = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

const volatile __u32 us = 0;
__u64 target, signal, result, entry, entry_result, six[6];
char path[32], removed[32];

static __always_inline int is_us(void)
{
	return bpf_get_current_pid_tgid() >> 32 == us;
}

SEC("ksyscall/kill")
int BPF_KSYSCALL(on_kill, pid_t pid, int sig)
{
	if (is_us()) {
		target = pid;
		signal = sig;
	}
	return 0;
}

SEC("kretsyscall/kill")
int BPF_KRETPROBE(on_killed, long ret)
{
	if (is_us())
		result = -ret;
	return 0;
}

SEC("ksyscall/rmdir")
int BPF_KSYSCALL(on_rmdir, const char *name)
{
	if (is_us())
		bpf_probe_read_user_str(path, sizeof(path), name);
	return 0;
}

SEC("ksyscall/process_vm_readv")
int BPF_KSYSCALL(on_readv, pid_t pid, long b, long c, long d, long e, long f)
{
	if (is_us()) {
		six[0] = pid, six[1] = b, six[2] = c;
		six[3] = d, six[4] = e, six[5] = f;
	}
	return 0;
}

SEC("?kprobe")
int BPF_KPROBE(on_function, struct pt_regs *regs)
{
	if (is_us())
		bpf_probe_read_user_str(removed, sizeof(removed), (void *)PT_REGS_PARM1_CORE(regs));
	return 0;
}

SEC("?kretprobe")
int BPF_KRETPROBE(on_return, long ret)
{
	if (is_us())
		entry_result = -ret;
	return 0;
}
]] }

local MECHANISMS = { fentry = true, kprobe = true, sys_enter = true }

t.test("system calls", function()
    C.kill(C.getpid(), 99)
    t.equal(tonumber(b.vars.target), C.getpid())
    t.equal(tonumber(b.vars.signal), 99)
    t.equal(tonumber(b.vars.result), EINVAL)
    C.rmdir("/nowhere/ksyscall")
    t.equal(ffi.string(b.vars.path), "/nowhere/ksyscall")
    C.process_vm_readv(1, 2, 3, 4, 5, 6)
    for i = 0, 5 do
        t.equal(tonumber(b.vars.six[i]), i + 1)
    end
    local probes = b:probes()
    t.equal(#probes, 4)
    for _, probe in ipairs(probes) do
        assert(MECHANISMS[probe.mechanism], probe.mechanism)
    end
end)

t.test("functions of the script's choice", function()
    b:attach_kprobe({ event = BPF.get_syscall_fnname("rmdir"), fn_name = "on_function" })
    b:attach_kretprobe({ event = BPF.get_syscall_fnname("rmdir"), fn_name = "on_return" })
    C.rmdir("/nowhere/function")
    t.equal(ffi.string(b.vars.removed), "/nowhere/function")
    t.equal(tonumber(b.vars.entry_result), 2)
end)

t.test("no stand-in but for what it is", function()
    local one = BPF{ text = '#include "vmlinux.h"\nSEC("?kprobe/vfs_read") int BPF_KPROBE(reads, struct file *f) { return f != 0; }' }
    local ok, err = pcall(one.attach_kprobe, one, { event = "vfs_read", fn_name = "reads", mechanism = "sys_enter" })
    assert(not ok)
    t.contains(err, "`vfs_read` does not serve a system call")
end)
