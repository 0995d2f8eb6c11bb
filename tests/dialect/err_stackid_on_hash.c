/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'get_stackid' in 'struct bpflua_hash_map_counts' */
BPF_HASH(counts);

int misuse(struct pt_regs *ctx)
{
	counts.get_stackid(ctx, 0);
	return 0;
}
