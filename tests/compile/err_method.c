/* SPDX-License-Identifier: Apache-2.0 */
BPF_HASH(counts, u32);
BPF_STACK_TRACE(stacks, 128);
int hello(struct pt_regs *ctx)
{
	int id = counts.get_stackid(ctx, 0);
	u32 key = stacks.lookup(&id) != 0;
	return counts.lokup(&key) != 0;
}
