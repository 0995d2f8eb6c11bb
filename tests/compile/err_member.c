/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sched.h>
int hello(struct pt_regs *ctx, struct file *file)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	return task->state + file->f_path.dentry->d_nam.hash_len;
}
