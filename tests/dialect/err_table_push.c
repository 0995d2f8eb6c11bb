/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'push' in 'struct bpflua_table_map_counts' */
BPF_TABLE("array", int, u64, counts, 8);

int misuse(struct pt_regs *ctx)
{
	counts.push(ctx, 0);
	return 0;
}
