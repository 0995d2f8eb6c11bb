/* SPDX-License-Identifier: Apache-2.0 */
int hello(struct pt_regs *ctx, struct dentri *d)
{
	return d->d_inode != 0;
}
