/* SPDX-License-Identifier: Apache-2.0 */
/* error: (aka 'struct bpflua_leaf_of_starts_is_no_integer *') is not a function */
BPF_HASH(starts, u32, struct { u64 a; });

int misuse(struct pt_regs *ctx)
{
	starts.increment(3);
	return 0;
}
