// SPDX-License-Identifier: Apache-2.0
/* drain perf|ring sum|text PROGRAM EVENTS: takes the events of fire() in PROGRAM; says `round SUM` after so many of them. */
#include <linux/types.h>

#include "event.h"
#include "peer.h"

OBJECT("drain");

static __u64 sum, seen, wanted, by_pid[1 << 16];
static FILE *text;

static void take(const struct event *e)
{
	sum += e->val;
	by_pid[e->pid & 0xffff]++;
	if (text) {
		char line[128];
		int length = snprintf(line, sizeof(line), "%-8u %-16s %llu\n", e->pid, e->comm, (unsigned long long)e->ts);
		fwrite(line, 1, length, text);
	}
	if (++seen == wanted) {
		printf("round %llu\n", (unsigned long long)sum);
		fflush(stdout);
		seen = sum = 0;
	}
}

static void on_sample(void *ctx, int cpu, void *data, __u32 size)
{
	take(data);
}

static int on_record(void *ctx, void *data, size_t size)
{
	take(data);
	return 0;
}

int main(int count, char **words)
{
	int is_perf = !strcmp(words[1], "perf");
	text = strcmp(words[2], "text") ? NULL : fopen("/dev/null", "w");
	wanted = strtoull(words[4], NULL, 10);
	struct bpf_object *object = load_object();
	LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = "fire");
	struct bpf_program *program = bpf_object__find_program_by_name(object, is_perf ? "fired_perf" : "fired_ring");
	must(bpf_program__attach_uprobe_opts(program, -1, words[3], 0, &options), "attach");
	struct perf_buffer *perf = NULL;
	struct ring_buffer *ring = NULL;
	if (is_perf)
		perf = must(perf_buffer__new(map_of(object, "events"), 512, on_sample, NULL, NULL, NULL), "perf buffer");
	else
		ring = must(ring_buffer__new(map_of(object, "ring"), on_record, NULL, NULL), "ring buffer");
	say("ready");
	for (;;)
		is_perf ? perf_buffer__poll(perf, -1) : ring_buffer__poll(ring, -1);
}
