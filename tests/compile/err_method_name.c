/* SPDX-License-Identifier: Apache-2.0 */
BPF_PERF_OUTPUT(events);

static int perf_submit(void *ctx, void *data, u32 size)
{
	return events.perf_submit(ctx, data, size);
}

int f(struct pt_regs *ctx, int n)
{
	return perf_submit(ctx, &n, sizeof(n));
}
