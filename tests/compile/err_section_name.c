/* SPDX-License-Identifier: Apache-2.0 */
int helper(int n)
{
	return n + 1;
}
int kprobe(struct pt_regs *ctx)
{
	return helper(1);
}
