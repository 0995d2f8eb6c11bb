/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, int n)
{
	double half = n;

	return half * 0.5;
}
