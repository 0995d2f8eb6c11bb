// SPDX-License-Identifier: Apache-2.0
// What a control group is told of its sockets' options, and an option that it cannot set.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define SOL_SOCKET 1
#define SO_PRIORITY 12
#define SO_KEEPALIVE 9

SEC("cgroup/getsockopt")
int tells(struct bpf_sockopt *ctx)
{
	int *value = ctx->optval, *end = ctx->optval_end;

	if (ctx->level != SOL_SOCKET || ctx->optname != SO_PRIORITY)
		return 1;
	if (value + 1 > end)
		return 0;
	*value += 1000;
	ctx->retval = 0;
	return 1;
}

SEC("cgroup/setsockopt")
int sets(struct bpf_sockopt *ctx)
{
	return !(ctx->level == SOL_SOCKET && ctx->optname == SO_KEEPALIVE);
}

char LICENSE[] SEC("license") = "GPL";
