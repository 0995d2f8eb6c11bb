// SPDX-License-Identifier: Apache-2.0
// Drops the datagrams to one port where netfilter has its hooks.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

const volatile __u16 blocked_port = 0;
__u64 dropped = 0;
__u32 length = 0;

SEC("netfilter")
int no_datagrams(struct bpf_nf_ctx *ctx)
{
	struct sk_buff *skb = ctx->skb;
	struct iphdr *ip = (void *)skb->head + skb->network_header;
	struct udphdr udp;
	__u8 protocol;

	bpf_probe_read_kernel(&protocol, sizeof(protocol), &ip->protocol);
	if (protocol != IPPROTO_UDP)
		return 1;
	bpf_probe_read_kernel(&udp, sizeof(udp), ip + 1);
	if (bpf_ntohs(udp.dest) != blocked_port)
		return 1;
	length = skb->len;
	__sync_fetch_and_add(&dropped, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
