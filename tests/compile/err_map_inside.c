/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx)
{
	BPF_HASH(counts, u32, u64);

	counts.increment(1);
	return 0;
}
