/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'ringbuf_output' in 'struct bpflua_perf_output_map_events' */
BPF_PERF_OUTPUT(events);

int misuse(struct pt_regs *ctx)
{
	events.ringbuf_output(&ctx, 8, 0);
	return 0;
}
