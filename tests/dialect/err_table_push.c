/* SPDX-License-Identifier: Apache-2.0 */
/* error: 'struct bpflua_no_push_in_counts *(*)[2]' */
BPF_TABLE("array", int, u64, counts, 8);

int misuse(struct pt_regs *ctx)
{
	counts.push(ctx, 0);
	return 0;
}
