/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, int n)
{
	int a[n];

	a[0] = 1;
	return a[n - 1];
}
