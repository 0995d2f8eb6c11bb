// SPDX-License-Identifier: Apache-2.0
// System calls as they come, with their registers.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

const volatile pid_t targ_tgid = 0;
const volatile long targ_call = -1;
__u64 first, second, by_macro;
long result = 1;

SEC("raw_tp/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long id)
{
	if (id != targ_call || (bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	first = PT_REGS_PARM1_CORE_SYSCALL(regs);
	second = PT_REGS_PARM2_CORE_SYSCALL(regs);
	return 0;
}

SEC("raw_tracepoint/sys_exit")
int sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	long id;

	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	bpf_probe_read_kernel(&id, sizeof(id), &regs->orig_ax);
	if (id != targ_call)
		return 0;
	result = ctx->args[1];
	by_macro = PT_REGS_PARM1_CORE_SYSCALL(regs);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
