// SPDX-License-Identifier: Apache-2.0
// What CO-RE can ask of the kernel at hand: members, their sizes and places, types, enumerators, configuration.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

/* As other kernels have them. */
struct task_struct___old {
	long state;
} __attribute__((preserve_access_index));
struct task_struct___new {
	unsigned int __state;
} __attribute__((preserve_access_index));
struct nothing_like_it___here {
	int member;
} __attribute__((preserve_access_index));
enum bpf_func_id___other {
	BPF_FUNC_map_lookup_elem___other = 999,
	BPF_FUNC_never_there___other = 998,
};

extern int LINUX_KERNEL_VERSION __kconfig;
extern unsigned long CONFIG_HZ __kconfig __weak;
extern bool CONFIG_BPF_SYSCALL __kconfig;
extern int CONFIG_NEVER_THERE __kconfig __weak;

const volatile pid_t targ_tgid = 0;
const volatile long targ_call = -1;

int parent, parent_again, parent_into, has_old_state, has_new_state, has_nothing, comm_size, tgid_offset;
int type_exists, type_missing, type_matches, type_size, enum_value, enum_exists, enum_missing;
int kernel_version, hz, has_bpf, never_there, reset_on_fork, reset_on_fork_direct, pid_cast;
char comm[16], comm_into[16], parent_comm[16];
unsigned int state = 77;

SEC("raw_tp/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *cast;

	if (id != targ_call || (bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	parent = BPF_CORE_READ(task, real_parent, tgid);
	parent_again = task->real_parent->tgid;
	BPF_CORE_READ_INTO(&parent_into, task, group_leader, real_parent, tgid);
	bpf_core_read(comm, sizeof(comm), &task->comm);
	bpf_core_read_str(comm_into, sizeof(comm_into), &task->comm);
	BPF_CORE_READ_STR_INTO(&parent_comm, task, real_parent, group_leader, comm);
	if (bpf_ksym_exists(bpf_rdonly_cast)) {
		cast = bpf_core_cast(task, struct task_struct);
		pid_cast = cast->group_leader->pid;
	} else {
		pid_cast = BPF_CORE_READ(task, group_leader, pid);
	}

	has_old_state = bpf_core_field_exists(struct task_struct___old, state);
	has_new_state = bpf_core_field_exists(((struct task_struct___new *)task)->__state);
	if (bpf_core_field_exists(struct task_struct___new, __state))
		state = BPF_CORE_READ((struct task_struct___new *)task, __state);
	else
		state = BPF_CORE_READ((struct task_struct___old *)task, state);
	comm_size = bpf_core_field_size(struct task_struct, comm);
	tgid_offset = bpf_core_field_offset(struct task_struct, tgid);
	has_nothing = bpf_core_type_exists(struct nothing_like_it___here);
	type_exists = bpf_core_type_exists(struct task_struct___old);
	type_missing = !bpf_core_type_exists(struct nothing_like_it___here);
	type_matches = bpf_core_type_matches(struct task_struct___new);
	type_size = bpf_core_type_size(struct task_struct___old);
	enum_exists = bpf_core_enum_value_exists(enum bpf_func_id___other, BPF_FUNC_map_lookup_elem___other);
	enum_missing = !bpf_core_enum_value_exists(enum bpf_func_id___other, BPF_FUNC_never_there___other);
	enum_value = bpf_core_enum_value(enum bpf_func_id___other, BPF_FUNC_map_lookup_elem___other);

	reset_on_fork = BPF_CORE_READ_BITFIELD_PROBED(task, sched_reset_on_fork);
	reset_on_fork_direct = task->sched_reset_on_fork;
	kernel_version = LINUX_KERNEL_VERSION;
	hz = CONFIG_HZ;
	has_bpf = CONFIG_BPF_SYSCALL;
	never_there = CONFIG_NEVER_THERE;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
