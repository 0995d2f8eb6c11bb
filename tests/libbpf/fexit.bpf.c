// SPDX-License-Identifier: Apache-2.0
// Arguments and result together.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
long result = 1;
__u64 result_by_helper;
char name_seen[32];

SEC("fexit/do_unlinkat")
int BPF_PROG(do_unlinkat_exit, int dfd, struct filename *name, int ret)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	result = ret;
	bpf_get_func_ret(ctx, &result_by_helper);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
