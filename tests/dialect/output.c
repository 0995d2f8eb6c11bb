/* SPDX-License-Identifier: Apache-2.0 */
/* Perf buffers, ring buffers, stack traces.
 * load
 * events: plain by_pointer plain_array literal literal_ring ring ring ring2 tp */
struct event { u64 ts; u32 pid; char comm[TASK_COMM_LEN]; };
struct small { u32 a; };

BPF_PERF_OUTPUT(plain);
BPF_PERF_OUTPUT(plain_array);
BPF_PERF_OUTPUT(by_pointer);
BPF_PERF_OUTPUT(tp);
BPF_PERF_OUTPUT(literal);
BPF_RINGBUF_OUTPUT(literal_ring, 1);
BPF_RINGBUF_OUTPUT(ring, 8);
BPF_RINGBUF_OUTPUT(ring2, 1 << 4);
BPF_STACK_TRACE(stacks, 1000);
BPF_STACK_TRACE(stacks_exact, 1024);
BPF_STACK_TRACE_BUILDID(build_ids, 10);

SEC("raw_tracepoint/sched_switch")
int submit(void *ctx)
{
	struct event e = { .ts = bpf_ktime_get_ns() };
	struct event *p = &e, *r;
	struct small *s;
	char text[16] = "text";

	bpf_get_current_comm(&e.comm, sizeof(e.comm));
	e.pid = stacks.get_stackid(ctx, BPF_F_REUSE_STACKID);
	e.pid += stacks_exact.get_stackid(ctx, BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID);
	plain.perf_submit(ctx, &e, sizeof(e));
	by_pointer.perf_submit(ctx, p, sizeof(*p));
	plain_array.perf_submit(ctx, text, sizeof(text));
	literal.perf_submit(ctx, &(struct event){ .ts = 1, .pid = 2 }, sizeof(struct event));
	literal_ring.ringbuf_output(&(struct small){ .a = e.pid }, sizeof(struct small), 0);
	if (ring.ringbuf_output(&e, sizeof(e), BPF_RB_NO_WAKEUP))
		return 0;
	r = ring.ringbuf_reserve(sizeof(*r));
	if (r) {
		r->ts = ring.ringbuf_query(BPF_RB_AVAIL_DATA);
		ring.ringbuf_submit(r, 0);
	}
	s = ring2.ringbuf_reserve(sizeof(struct small));
	if (s) {
		s->a = 1;
		if (e.pid)
			ring2.ringbuf_submit(s, BPF_RB_FORCE_WAKEUP);
		else
			ring2.ringbuf_discard(s, 0);
	}
	return 0;
}

TRACEPOINT_PROBE(sched, sched_switch)
{
	struct event e = { .pid = args->prev_pid };

	bpf_probe_read_kernel(&e.comm, sizeof(e.comm), args->next_comm);
	tp.perf_submit(args, &e, sizeof(e));
	return build_ids.get_stackid(args, BPF_F_USER_STACK | BPF_F_REUSE_STACKID) < 0;
}
