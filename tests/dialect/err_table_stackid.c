/* SPDX-License-Identifier: Apache-2.0 */
/* error: (aka 'struct bpflua_counts_is_no_stack_trace_map *') is not a function */
BPF_TABLE("hash", u32, u64, counts, 8);

int misuse(struct pt_regs *ctx)
{
	counts.get_stackid(ctx, 0);
	return 0;
}
