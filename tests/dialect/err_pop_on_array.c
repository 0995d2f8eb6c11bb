/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'pop' in 'struct bpflua_array_map_slots' */
BPF_ARRAY(slots);

int misuse(struct pt_regs *ctx)
{
	slots.pop(ctx);
	return 0;
}
