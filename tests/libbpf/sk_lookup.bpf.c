// SPDX-License-Identifier: Apache-2.0
// One socket takes the connections to a whole range of ports.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} listener SEC(".maps");

__u32 port_seen = 0;

SEC("sk_lookup")
int choose(struct bpf_sk_lookup *ctx)
{
	struct bpf_sock *sk;
	__u32 key = 0;
	int err;

	if (ctx->local_port < 7000 || ctx->local_port > 7010)
		return SK_PASS;
	port_seen = ctx->local_port;
	sk = bpf_map_lookup_elem(&listener, &key);
	if (!sk)
		return SK_DROP;
	err = bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return err ? SK_DROP : SK_PASS;
}

char LICENSE[] SEC("license") = "GPL";
