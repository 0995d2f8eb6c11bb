/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, double number, int n)
{
	return n;
}
