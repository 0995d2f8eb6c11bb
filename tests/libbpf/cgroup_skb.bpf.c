// SPDX-License-Identifier: Apache-2.0
// Counts the bytes that a control group sends and drops what goes to one port.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

const volatile __u16 blocked_port = 0;
__u64 sent_bytes = 0, dropped = 0, received_bytes = 0;

SEC("cgroup_skb/egress")
int leaves(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct udphdr udp;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) || ip.protocol != IPPROTO_UDP)
		return 1;
	if (bpf_skb_load_bytes(skb, ip.ihl * 4, &udp, sizeof(udp)))
		return 1;
	if (bpf_ntohs(udp.dest) == blocked_port) {
		__sync_fetch_and_add(&dropped, 1);
		return 0;
	}
	__sync_fetch_and_add(&sent_bytes, bpf_ntohs(udp.len) - sizeof(udp));
	return 1;
}

SEC("cgroup_skb/ingress")
int comes(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&received_bytes, skb->len);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
