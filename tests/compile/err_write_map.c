/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fs.h>
BPF_HASH(files, u32, struct file *);

int f(struct pt_regs *ctx)
{
	u32 one = 1;
	struct file **file = files.lookup(&one);

	if (file)
		(*file)->f_flags |= 1;
	return 0;
}
