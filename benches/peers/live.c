// SPDX-License-Identifier: Apache-2.0
/* live perf|ring: as benches/scripts/live.lua, with libbpf: woken by every 256th event, or by the clock alone. */
#include <linux/types.h>

#include "event.h"
#include "peer.h"

OBJECT("live");

static __u64 delivered, lost, sum;
static volatile int stop;

static void on_stop(int signal)
{
	stop = 1;
}

static void on_sample(void *ctx, int cpu, void *data, __u32 size)
{
	delivered++;
	sum += ((struct event *)data)->val;
}

static void on_lost(void *ctx, int cpu, __u64 count)
{
	lost += count;
}

static int on_record(void *ctx, void *data, size_t size)
{
	on_sample(ctx, 0, data, size);
	return 0;
}

int main(int count, char **words)
{
	int is_perf = !strcmp(words[1], "perf");
	struct bpf_object *object = load_object();
	struct bpf_program *program = bpf_object__find_program_by_name(object, is_perf ? "live_perf" : "live_ring");
	struct bpf_link *link = must(bpf_program__attach(program), "attach");
	struct perf_buffer *perf = NULL;
	struct ring_buffer *ring = NULL;
	LIBBPF_OPTS(perf_buffer_opts, options, .sample_period = 256);
	if (is_perf)
		perf = must(perf_buffer__new(map_of(object, "events"), 4096, on_sample, on_lost, NULL, &options), "perf buffer");
	else
		ring = must(ring_buffer__new(map_of(object, "ring"), on_record, NULL, NULL), "ring buffer");
	signal(SIGINT, on_stop);
	say("ready");
	while (!stop) {
		if (is_perf && perf_buffer__poll(perf, 10) == 0)
			perf_buffer__consume(perf);
		if (!is_perf) {
			ring_buffer__consume_n(ring, 100000);
			usleep(1000);
		}
	}
	bpf_link__destroy(link);
	is_perf ? perf_buffer__consume(perf) : ring_buffer__consume_n(ring, 1 << 30);
	__u64 hits = 0, not_taken = 0;
	int zero = 0, one = 1;
	bpf_map_lookup_elem(map_of(object, "hits"), &zero, &hits);
	bpf_map_lookup_elem(map_of(object, "hits"), &one, &not_taken);
	printf("told %llu %llu %llu\n", (unsigned long long)delivered, (unsigned long long)(lost + not_taken), (unsigned long long)hits);
	return 0;
}
