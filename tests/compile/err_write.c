/* SPDX-License-Identifier: Apache-2.0 */
#define SET(file, value) ((file)->f_flags = (value))
static void change(struct file *file)
{
	SET(file, 1);
}
int hello(struct pt_regs *ctx, struct file *file)
{
	change(file);
	return 0;
}
