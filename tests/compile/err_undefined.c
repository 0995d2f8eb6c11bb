/* SPDX-License-Identifier: Apache-2.0 */
int elsewhere(int n);

int f(struct pt_regs *ctx)
{
	return elsewhere(3);
}
