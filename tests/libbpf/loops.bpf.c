// SPDX-License-Identifier: Apache-2.0
// Loops that the kernel runs: bpf_loop and bpf_for_each_map_elem with functions to call.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100);
	__type(key, __u32);
	__type(value, __u64);
} squares SEC(".maps");

struct sum {
	__u64 value;
	__u32 stop_at;
};

__u64 looped, rounds, summed, visited, nested;

static long add(__u64 index, void *data)
{
	struct sum *sum = data;

	sum->value += index;
	return sum->stop_at && index == sum->stop_at;
}

static int inner(__u32 index, void *data)
{
	*(__u64 *)data += index;
	return 0;
}

static int outer(__u32 index, void *data)
{
	bpf_loop(index, inner, data, 0);
	return 0;
}

static long visit(struct bpf_map *map, __u32 *key, __u64 *value, struct sum *sum)
{
	sum->value += *value;
	sum->stop_at++;
	return 0;
}

SEC("socket")
int loops(struct __sk_buff *skb)
{
	struct sum sum = {};
	__u64 total = 0;
	__u32 i;

	bpf_loop(101, add, &sum, 0);
	looped = sum.value;
	sum.stop_at = 9;
	rounds = bpf_loop(1000, add, &sum, 0);
	for (i = 1; i <= 10; i++) {
		__u64 square = i * i;
		__u32 key = i;

		bpf_map_update_elem(&squares, &key, &square, BPF_ANY);
	}
	sum.value = sum.stop_at = 0;
	bpf_for_each_map_elem(&squares, visit, &sum, 0);
	summed = sum.value;
	visited = sum.stop_at;
	bpf_loop(5, outer, &total, 0);
	nested = total;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
