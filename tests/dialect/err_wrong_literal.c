/* SPDX-License-Identifier: Apache-2.0 */
/* error: the compound literal is not of the map's key type */
struct big { u64 a, b; }; struct other { u64 a, b, c; }; BPF_HASH(counts, struct big);

int misuse(struct pt_regs *ctx)
{
	counts.increment((struct other){ 1, 2, 3 });
	return 0;
}
