/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, int n)
{
	static void *labels[] = { &&x, &&y };

	goto *labels[n & 1];
x:
	return 1;
y:
	return 2;
}
