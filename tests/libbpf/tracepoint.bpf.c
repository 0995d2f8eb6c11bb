// SPDX-License-Identifier: Apache-2.0
// Tracepoints: numbers of one, the string at the end of another's record.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile pid_t targ_tgid = 0;
long target = 0;
long signal = 0;
long result = 1;
char filename[32];
pid_t child = 0;

SEC("tp/syscalls/sys_enter_kill")
int kill_entry(struct trace_event_raw_sys_enter *ctx)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	target = ctx->args[0];
	signal = ctx->args[1];
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_kill")
int kill_exit(struct trace_event_raw_sys_exit *ctx)
{
	if ((bpf_get_current_pid_tgid() >> 32) == targ_tgid)
		result = ctx->ret;
	return 0;
}

SEC("tp/sched/sched_process_exec")
int on_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	unsigned int offset = ctx->__data_loc_filename & 0xffff;

	if (task->real_parent->tgid != targ_tgid)
		return 0;
	child = ctx->pid;
	bpf_probe_read_str(filename, sizeof(filename), (void *)ctx + offset);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
