/* SPDX-License-Identifier: Apache-2.0 */
static noinline int sum(int a, int b, int c, int d, int e, int f)
{
	return bpf_get_prandom_u32() * a + b + c * d + e * f;
}

int g(struct pt_regs *ctx, int n)
{
	return sum(n, n, n, n, n, n);
}
