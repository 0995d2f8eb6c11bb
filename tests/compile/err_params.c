/* SPDX-License-Identifier: Apache-2.0 */
int hello(struct pt_regs *ctx, int a, int b, int c, int d, int e, int f, int g)
{
	return a + g;
}
