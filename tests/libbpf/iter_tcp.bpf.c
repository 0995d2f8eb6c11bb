// SPDX-License-Identifier: Apache-2.0
// TCP sockets with their ports and states.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

SEC("iter/tcp")
int dump_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;

	if (sk && sk->skc_family == 2)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%u %u %u\n", sk->skc_num, bpf_ntohs(sk->skc_dport), sk->skc_state);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
