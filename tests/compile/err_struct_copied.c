/* SPDX-License-Identifier: Apache-2.0 */
struct large { u64 words[4]; };

int f(struct pt_regs *ctx, int n, struct large large)
{
	return large.words[n & 3];
}
