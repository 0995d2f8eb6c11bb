// SPDX-License-Identifier: Apache-2.0
// The same as kprobe.bpf.c by fentry, where pointers need no helper.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
char name_seen[32];
int dfd_seen;
__u64 address, argument, count;

SEC("fentry/do_unlinkat")
int BPF_PROG(do_unlinkat, int dfd, struct filename *name)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	dfd_seen = dfd;
	bpf_probe_read_kernel_str(name_seen, sizeof(name_seen), name->name);
	address = bpf_get_func_ip(ctx);
	bpf_get_func_arg(ctx, 1, &argument);
	argument = argument == (__u64)name;
	count = bpf_get_func_arg_cnt(ctx);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
