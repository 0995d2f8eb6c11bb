// SPDX-License-Identifier: Apache-2.0
// Lets a packet socket see the datagrams to one port, cut after their headers.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile __u16 wanted_port = 0;
__u64 seen = 0;

SEC("socket")
int to_port(struct __sk_buff *skb)
{
	__u64 protocol = load_byte(skb, 14 + 9);

	if (load_half(skb, 12) != 0x0800 || protocol != IPPROTO_UDP || load_half(skb, 14 + 20 + 2) != wanted_port)
		return 0;
	__sync_fetch_and_add(&seen, 1);
	return 14 + 20 + 8 + 4;
}

char LICENSE[] SEC("license") = "GPL";
