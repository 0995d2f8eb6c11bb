/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'perf_submit' in 'struct bpflua_hash_map_counts' */
BPF_HASH(counts);

int misuse(struct pt_regs *ctx)
{
	counts.perf_submit(ctx, &ctx, 8);
	return 0;
}
