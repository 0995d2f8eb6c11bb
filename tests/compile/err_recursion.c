/* SPDX-License-Identifier: Apache-2.0 */
static int fibonacci(int n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

int f(struct pt_regs *ctx, int n)
{
	return fibonacci(n);
}
