// SPDX-License-Identifier: Apache-2.0
// What one socket sends is received by another of this machine, without the network between.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

__u32 size = 0, refused = 0;

SEC("sk_msg")
int deliver(struct sk_msg_md *msg)
{
	char *data = msg->data, *end = msg->data_end;

	size = msg->size;
	if (data + 1 <= end && data[0] == '!') {
		refused++;
		return SK_DROP;
	}
	return bpf_msg_redirect_map(msg, &sockets, 1, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
