// SPDX-License-Identifier: Apache-2.0
// A probe that its author left in a library: its arguments are a register and a place in memory.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/usdt.bpf.h>

const volatile pid_t targ_tgid = 0;
int value_seen = 0, calls_seen = 0, count = 0;
long second = 0;

SEC("usdt//dev/shm/bpflua-usdt.so:library:called")
int BPF_USDT(on_call, int value, int calls)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	value_seen = value;
	calls_seen = calls;
	count = bpf_usdt_arg_cnt(ctx);
	bpf_usdt_arg(ctx, 1, &second);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
