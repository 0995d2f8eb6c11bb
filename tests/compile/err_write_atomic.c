/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fs.h>

int f(struct pt_regs *ctx, struct file *file, char *name)
{
	__sync_fetch_and_add(&file->f_flags, 1);
	return 0;
}
