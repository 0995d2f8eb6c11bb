/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'frobnicate' in 'struct bpflua_hash_map_counts' */
BPF_HASH(counts);

int misuse(struct pt_regs *ctx)
{
	counts.frobnicate();
	return 0;
}
