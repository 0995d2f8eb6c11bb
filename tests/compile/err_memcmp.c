/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sched.h>

int f(struct pt_regs *ctx, struct task_struct *task, unsigned int count)
{
	return memcmp(task->comm, "lua", count);
}
