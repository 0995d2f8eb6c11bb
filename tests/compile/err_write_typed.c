/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sched.h>

SEC("tp_btf/sched_switch")
int BPF_PROG(f, bool preempt, struct task_struct *from)
{
	bpf_get_current_task_btf()->pid = 1;
	return 0;
}
