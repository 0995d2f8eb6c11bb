/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fs.h>

int f(struct pt_regs *ctx, struct file *file, char *name)
{
	__builtin_memset(&file->f_path, 0, sizeof(file->f_path));
	return 0;
}
