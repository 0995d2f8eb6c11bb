// SPDX-License-Identifier: Apache-2.0
// Says of which flow a packet is: UDP over IPv4.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

SEC("flow_dissector")
int dissect(struct __sk_buff *skb)
{
	struct bpf_flow_keys *keys = skb->flow_keys;
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u16 nhoff = keys->nhoff;
	struct iphdr *ip = data + nhoff;
	struct udphdr *udp;

	if (nhoff > 1000)
		return BPF_DROP;
	if (keys->n_proto != bpf_htons(0x0800) || (void *)(ip + 1) > end || ip->protocol != IPPROTO_UDP)
		return BPF_DROP;
	udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > end)
		return BPF_DROP;
	keys->addr_proto = 0x0800;
	keys->ipv4_src = ip->saddr;
	keys->ipv4_dst = ip->daddr;
	keys->thoff = nhoff + sizeof(*ip);
	keys->ip_proto = ip->protocol;
	keys->sport = udp->source;
	keys->dport = udp->dest;
	return BPF_OK;
}

char LICENSE[] SEC("license") = "GPL";
