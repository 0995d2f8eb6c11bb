/* SPDX-License-Identifier: Apache-2.0 */
BPF_TABLE("no such", u32, u64, counts, 64);

int count(struct pt_regs *ctx)
{
	u32 key = 0;
	u64 value = 0;

	counts.pop(&value);
	return counts.get_stackid(ctx, 0);
}
