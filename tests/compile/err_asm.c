/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, int n)
{
	__asm__ volatile("nonsense %0, r77" ::"r"(n));
	return 0;
}
