/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'lookup' in 'struct bpflua_stack_trace_map_stacks' */
BPF_STACK_TRACE(stacks, 64); int k;

int misuse(struct pt_regs *ctx)
{
	stacks.lookup(&k);
	return 0;
}
