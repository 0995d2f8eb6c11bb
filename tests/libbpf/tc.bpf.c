// SPDX-License-Identifier: Apache-2.0
// Marks packets by their length and rewrites a port with its checksum.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define TC_ACT_OK 0
#define TC_ACT_SHOT 2
#define PORT_OFFSET (sizeof(struct ethhdr) + sizeof(struct iphdr) + offsetof(struct udphdr, dest))

const volatile __u16 from_port = 1, to_port = 2;
__u64 rewritten = 0;

SEC("tc")
int rewrite(struct __sk_buff *skb)
{
	__be16 port, wanted = bpf_htons(to_port);

	if (bpf_skb_load_bytes(skb, PORT_OFFSET, &port, sizeof(port)))
		return TC_ACT_SHOT;
	skb->mark = skb->len;
	if (port != bpf_htons(from_port))
		return TC_ACT_OK;
	bpf_skb_store_bytes(skb, PORT_OFFSET, &wanted, sizeof(wanted), BPF_F_RECOMPUTE_CSUM);
	__sync_fetch_and_add(&rewritten, 1);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
