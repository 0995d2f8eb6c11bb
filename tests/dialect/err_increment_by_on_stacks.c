/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named '__bpflua_increment_n' in 'struct bpflua_stack_trace_map_stacks' */
BPF_STACK_TRACE(stacks, 64);

int misuse(struct pt_regs *ctx)
{
	stacks.increment(3, 2);
	return 0;
}
