// SPDX-License-Identifier: Apache-2.0
// A task kept in a map's value, to be looked at by a later program.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

struct kept {
	struct task_struct __kptr *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kept);
} kept SEC(".maps");

const volatile pid_t targ_pid = 0;
int had_one_before = 0;
int pid_seen = 0;
char comm_seen[16];

SEC("syscall")
int keep(void *ctx)
{
	__u32 key = 0;
	struct kept *value = bpf_map_lookup_elem(&kept, &key);
	struct task_struct *task = bpf_task_from_pid(targ_pid), *old;

	if (!task)
		return 1;
	if (!value) {
		bpf_task_release(task);
		return 2;
	}
	old = bpf_kptr_xchg(&value->task, task);
	if (old) {
		had_one_before++;
		bpf_task_release(old);
	}
	return 0;
}

SEC("syscall")
int look(void *ctx)
{
	__u32 key = 0;
	struct kept *value = bpf_map_lookup_elem(&kept, &key);
	struct task_struct *task;

	if (!value)
		return 1;
	task = bpf_kptr_xchg(&value->task, NULL);
	if (!task)
		return 2;
	pid_seen = task->pid;
	bpf_probe_read_kernel_str(comm_seen, sizeof(comm_seen), task->comm);
	bpf_task_release(task);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
