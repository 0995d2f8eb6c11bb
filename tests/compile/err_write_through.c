/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fs.h>
#define SET(p, v) ((p)->f_flags = (v))
static void set(struct file **pp) { SET(*pp, 4); }

int f(struct pt_regs *ctx, struct file *file)
{
	set(&file);
	return 0;
}
