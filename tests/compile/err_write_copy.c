/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fs.h>

int f(struct pt_regs *ctx, struct file *file, char *name)
{
	struct path path = {};

	file->f_path = path;
	return 0;
}
