// SPDX-License-Identifier: Apache-2.0
// A tracepoint whose argument the program changes: the outcome of the kernel's own test runs.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile pid_t targ_tgid = 0;
int outcome = 1;

SEC("raw_tp.w/bpf_test_finish")
int changes(struct bpf_raw_tracepoint_args *ctx)
{
	int *err = (int *)ctx->args[0];

	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	outcome = *err;
	*err = -105;
	return 0;
}

SEC("socket")
int victim(struct __sk_buff *skb)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
