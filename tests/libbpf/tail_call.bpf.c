// SPDX-License-Identifier: Apache-2.0
// Programs that hand a packet on to others, by a constant slot and by a computed one.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

int by_length(struct __sk_buff *skb);
int small(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} steps SEC(".maps") = {
	.values = {
		[0] = (void *)&by_length,
		[1] = (void *)&small,
	},
};

SEC("tc")
int first(struct __sk_buff *skb)
{
	skb->mark = 1;
	bpf_tail_call_static(skb, &steps, 0);
	return 100;
}

SEC("tc")
int by_length(struct __sk_buff *skb)
{
	skb->mark += 10;
	bpf_tail_call(skb, &steps, skb->len < 100 ? 1 : 2);
	return 200;
}

SEC("tc")
int small(struct __sk_buff *skb)
{
	return skb->mark + 30;
}

SEC("tc")
int large(struct __sk_buff *skb)
{
	return skb->mark + 60;
}

char LICENSE[] SEC("license") = "GPL";
