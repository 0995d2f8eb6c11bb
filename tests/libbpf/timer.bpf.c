// SPDX-License-Identifier: Apache-2.0
// A timer that goes off by itself, three times.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define CLOCK_MONOTONIC 1
#define MS 1000000ULL

struct element {
	struct bpf_timer timer;
	__u64 rounds;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct element);
} timers SEC(".maps");

__u64 rounds, started, last;

static int again(void *map, __u32 *key, struct element *element)
{
	rounds = ++element->rounds;
	last = bpf_ktime_get_ns();
	if (element->rounds < 3)
		bpf_timer_start(&element->timer, 5 * MS, 0);
	return 0;
}

SEC("tc")
int start(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct element *element = bpf_map_lookup_elem(&timers, &key);

	if (!element)
		return 1;
	started = bpf_ktime_get_ns();
	if (bpf_timer_init(&element->timer, &timers, CLOCK_MONOTONIC))
		return 2;
	bpf_timer_set_callback(&element->timer, again);
	return bpf_timer_start(&element->timer, 5 * MS, 0) ? 3 : 0;
}

char LICENSE[] SEC("license") = "GPL";
