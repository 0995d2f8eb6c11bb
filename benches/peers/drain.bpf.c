// SPDX-License-Identifier: Apache-2.0
/* What benches/texts/perf.c and ring.c do, for libbpf. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "event.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, int);
	__type(value, int);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 4096);
} ring SEC(".maps");

static void fill(struct event *e, __u64 val)
{
	e->val = val;
	e->pid = val & 63;
	e->tid = bpf_get_current_pid_tgid();
	e->ts = bpf_ktime_get_ns();
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
}

SEC("uprobe")
int fired_perf(struct pt_regs *ctx)
{
	struct event e = {};
	fill(&e, PT_REGS_PARM1(ctx));
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}

SEC("uprobe")
int fired_ring(struct pt_regs *ctx)
{
	struct event e = {};
	fill(&e, PT_REGS_PARM1(ctx));
	bpf_ringbuf_output(&ring, &e, sizeof(e), 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
