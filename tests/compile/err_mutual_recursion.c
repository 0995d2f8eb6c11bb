/* SPDX-License-Identifier: Apache-2.0 */
static int even(int n);
static int odd(int n) { return n ? even(n - 1) + even(n / 3) : 0; }
static int even(int n) { return n ? odd(n - 1) * odd(n / 7) : 1; }

int f(struct pt_regs *ctx, int n)
{
	return even(n);
}
