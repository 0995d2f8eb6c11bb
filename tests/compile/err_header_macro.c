/* SPDX-License-Identifier: Apache-2.0 */
int kprobe__f(struct pt_regs *ctx, int n)
{
	return n < SKB_MAX_FRAGMENTS && n < NOT_IN_HEADERS;
}
