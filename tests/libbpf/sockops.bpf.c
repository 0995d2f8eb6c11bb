// SPDX-License-Identifier: Apache-2.0
// The life of TCP connections in a control group, and the window of their sockets.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

const volatile __u32 server_port = 0;
int active = 0, passive = 0, closed = 0;
__u32 local_port = 0;

SEC("sockops")
int life(struct bpf_sock_ops *ops)
{
	switch (ops->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		if (bpf_ntohl(ops->remote_port) != server_port)
			break;
		__sync_fetch_and_add(&active, 1);
		local_port = ops->local_port;
		bpf_sock_ops_cb_flags_set(ops, BPF_SOCK_OPS_STATE_CB_FLAG);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		if (ops->local_port == server_port)
			__sync_fetch_and_add(&passive, 1);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ops->args[1] == BPF_TCP_CLOSE)
			__sync_fetch_and_add(&closed, 1);
		break;
	}
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
