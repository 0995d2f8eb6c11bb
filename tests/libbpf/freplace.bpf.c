// SPDX-License-Identifier: Apache-2.0
// A verdict on packets that another program's function makes, and the function that takes its place.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

__u32 asked, replaced;

__attribute__((noinline)) int verdict(struct xdp_md *ctx, __u32 length)
{
	__sync_fetch_and_add(&asked, 1);
	return length > 100 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	return verdict(ctx, ctx->data_end - ctx->data);
}

SEC("freplace/verdict")
int new_verdict(struct xdp_md *ctx, __u32 length)
{
	__sync_fetch_and_add(&replaced, 1);
	return length > 50 ? XDP_DROP : XDP_TX;
}

char LICENSE[] SEC("license") = "GPL";
