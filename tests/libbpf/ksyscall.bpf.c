// SPDX-License-Identifier: Apache-2.0
// Signals as they are sent, whatever the machine's system calls are called inside.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

const volatile pid_t targ_tgid = 0;
int target = 0;
int signal = 0;
int result = 1;
char path[32];

SEC("ksyscall/kill")
int BPF_KSYSCALL(kill_entry, pid_t pid, int sig)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	target = pid;
	signal = sig;
	return 0;
}

SEC("kretsyscall/kill")
int BPF_KRETPROBE(kill_exit, int ret)
{
	if ((bpf_get_current_pid_tgid() >> 32) == targ_tgid)
		result = ret;
	return 0;
}

SEC("ksyscall/rmdir")
int BPF_KSYSCALL(rmdir_entry, const char *pathname)
{
	if ((bpf_get_current_pid_tgid() >> 32) == targ_tgid)
		bpf_probe_read_user_str(path, sizeof(path), pathname);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
