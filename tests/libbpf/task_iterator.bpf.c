// SPDX-License-Identifier: Apache-2.0
// A loop over all processes, and one over the bits of a number, with the kernel's iterators.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile pid_t targ_tgid = 0;
__u64 tasks, found, bits;

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

SEC("syscall")
int walk(void *ctx)
{
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_for_each(task, task, NULL, BPF_TASK_ITER_ALL_PROCS) {
		tasks++;
		if (task->tgid == targ_tgid)
			found++;
	}
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
int count_bits(void *ctx)
{
	__u64 mask = 0x8100000000000001ULL;
	int *bit;

	bpf_for_each(bits, bit, &mask, 1)
		bits += *bit;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
