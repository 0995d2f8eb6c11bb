// SPDX-License-Identifier: Apache-2.0
// Two numbers that only change together.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct pair {
	struct bpf_spin_lock lock;
	int left;
	int right;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct pair);
} pairs SEC(".maps");

SEC("tc")
int move(struct __sk_buff *skb)
{
	struct pair fresh = { .left = 1000 }, *pair;
	__u32 key = 1;

	bpf_map_update_elem(&pairs, &key, &fresh, BPF_NOEXIST);
	pair = bpf_map_lookup_elem(&pairs, &key);
	if (!pair)
		return 1;
	bpf_spin_lock(&pair->lock);
	pair->left--;
	pair->right++;
	bpf_spin_unlock(&pair->lock);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
