/* SPDX-License-Identifier: Apache-2.0 */
/* error: no member named 'lookup' in 'struct bpflua_queue_map_queue' */
BPF_QUEUE(queue, u64, 8);

int misuse(struct pt_regs *ctx)
{
	queue.lookup(ctx);
	return 0;
}
