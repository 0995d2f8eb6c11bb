/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx)
{
	__sync_synchronize();
	return 0;
}
