/* SPDX-License-Identifier: Apache-2.0 */
struct started { u32 pid; char comm[16]; };
typedef struct { u64 length; } ended;
BPF_PERF_OUTPUT(events);
BPF_RINGBUF_OUTPUT(numbers, 8);
BPF_PERF_OUTPUT(same);

int start(struct pt_regs *ctx)
{
	struct started event = {};

	events.perf_submit(ctx, &event, sizeof(event));
	same.perf_submit(ctx, &event, sizeof(event));
	return 0;
}

int end(struct pt_regs *ctx)
{
	ended event = { .length = 5 };
	const struct started other = {};
	u64 number = 5;

	numbers.ringbuf_output(&number, sizeof(number), 0);
	events.perf_submit(ctx, &event, sizeof(event));
	numbers.ringbuf_output(&event, sizeof(event), 0);
	same.perf_submit(ctx, (struct started *)&other, sizeof(other));
	same.perf_submit(ctx, (void *)&event, sizeof(event));
	return 0;
}
