// SPDX-License-Identifier: Apache-2.0
// Leads the connections of a control group from one port to another.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

const volatile __u16 from_port = 0, to_port = 0;
__u32 address_seen = 0;

SEC("cgroup/connect4")
int redirect(struct bpf_sock_addr *ctx)
{
	if (ctx->type != SOCK_STREAM || ctx->user_port != bpf_htons(from_port))
		return 1;
	address_seen = bpf_ntohl(ctx->user_ip4);
	ctx->user_port = bpf_htons(to_port);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
