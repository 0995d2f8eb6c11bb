// SPDX-License-Identifier: Apache-2.0
/* What benches/texts/live_*.c do, for libbpf. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "event.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, int);
	__type(value, int);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096 * 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, __u64);
} hits SEC(".maps");

static int fill(struct event *e)
{
	int zero = 0;
	__u64 *count = bpf_map_lookup_elem(&hits, &zero);
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
	if (!count || e->comm[0] != 's' || e->comm[1] != 't' || e->comm[2] != 'o')
		return 0;
	e->val = __sync_fetch_and_add(count, 1);
	e->tid = bpf_get_current_pid_tgid();
	e->pid = e->val & 63;
	e->ts = bpf_ktime_get_ns();
	return 1;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int live_perf(void *ctx)
{
	struct event e = {};
	if (fill(&e))
		bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int live_ring(void *ctx)
{
	struct event e = {};
	int one = 1;
	__u64 *lost = bpf_map_lookup_elem(&hits, &one);
	if (fill(&e) && bpf_ringbuf_output(&ring, &e, sizeof(e), BPF_RB_NO_WAKEUP) && lost)
		__sync_fetch_and_add(lost, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
