// SPDX-License-Identifier: Apache-2.0
// What removing a file came to.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
long result = 1;
long calls = 0;

SEC("kretprobe/do_unlinkat")
int BPF_KRETPROBE(do_unlinkat_exit, int ret)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	result = ret;
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
