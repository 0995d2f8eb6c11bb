// SPDX-License-Identifier: Apache-2.0
// A congestion control of TCP: what Reno does, and how often it is asked.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

__u64 inits, acked_bytes, releases;

static __always_inline struct tcp_sock *tcp(const struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

SEC("struct_ops/counted_init")
void BPF_PROG(counted_init, struct sock *sk)
{
	__sync_fetch_and_add(&inits, 1);
}

SEC("struct_ops/counted_release")
void BPF_PROG(counted_release, struct sock *sk)
{
	__sync_fetch_and_add(&releases, 1);
}

SEC("struct_ops/counted_ssthresh")
__u32 BPF_PROG(counted_ssthresh, struct sock *sk)
{
	__u32 half = tcp(sk)->snd_cwnd >> 1;

	return half > 2U ? half : 2U;
}

SEC("struct_ops/counted_cong_avoid")
void BPF_PROG(counted_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = tcp(sk);

	acked_bytes = tp->bytes_acked;
	tp->snd_cwnd += acked;
}

SEC("struct_ops/counted_undo_cwnd")
__u32 BPF_PROG(counted_undo_cwnd, struct sock *sk)
{
	return tcp(sk)->snd_cwnd;
}

SEC(".struct_ops")
struct tcp_congestion_ops counted = {
	.init = (void *)counted_init,
	.release = (void *)counted_release,
	.ssthresh = (void *)counted_ssthresh,
	.cong_avoid = (void *)counted_cong_avoid,
	.undo_cwnd = (void *)counted_undo_cwnd,
	.name = "bpflua_counted",
};

char LICENSE[] SEC("license") = "GPL";
