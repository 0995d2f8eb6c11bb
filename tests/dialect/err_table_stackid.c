/* SPDX-License-Identifier: Apache-2.0 */
/* error: (aka 'struct bpflua_no_get_stackid_in_counts *(*)[1]') is not a function */
BPF_TABLE("hash", u32, u64, counts, 8);

int misuse(struct pt_regs *ctx)
{
	counts.get_stackid(ctx, 0);
	return 0;
}
