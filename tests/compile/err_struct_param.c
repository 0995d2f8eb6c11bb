/* SPDX-License-Identifier: Apache-2.0 */
int hello(struct pt_regs *ctx, struct path path)
{
	return path.dentry != 0;
}
