// SPDX-License-Identifier: Apache-2.0
// What one socket receives goes on to another without the program above it.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

__u64 bytes = 0;

SEC("sk_skb/stream_verdict")
int pass_on(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&bytes, skb->len);
	return bpf_sk_redirect_map(skb, &sockets, 1, 0);
}

char LICENSE[] SEC("license") = "GPL";
