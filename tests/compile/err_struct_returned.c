/* SPDX-License-Identifier: Apache-2.0 */
struct many { int n[20]; };
static noinline struct many made(int n)
{
	struct many many = { { n } };

	return many;
}

int f(struct pt_regs *ctx, int n)
{
	return made(n).n[3];
}
