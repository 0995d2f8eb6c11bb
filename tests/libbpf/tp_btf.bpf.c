// SPDX-License-Identifier: Apache-2.0
// A tracepoint with typed arguments: renamed tasks.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
char before[16], after[16];
pid_t parent = 0;

SEC("tp_btf/task_rename")
int BPF_PROG(renamed, struct task_struct *task, const char *comm)
{
	if (task->tgid != targ_tgid)
		return 0;
	__builtin_memcpy(before, task->comm, sizeof(before));
	bpf_probe_read_kernel_str(after, sizeof(after), comm);
	parent = task->real_parent->tgid;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
