// SPDX-License-Identifier: Apache-2.0
// A control group without datagrams over IPv6; its other sockets get a mark.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define AF_INET6 10

int refused = 0;

SEC("cgroup/sock_create")
int make(struct bpf_sock *sk)
{
	if (sk->family == AF_INET6 && sk->type == SOCK_DGRAM) {
		refused++;
		return 0;
	}
	sk->mark = 4711;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
