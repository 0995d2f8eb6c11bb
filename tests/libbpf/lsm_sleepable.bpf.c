// SPDX-License-Identifier: Apache-2.0
// A security hook that reads the user's memory, which may have to be fetched first.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
const volatile __u64 user_address = 0;
char copied[32];
long result = 1;

SEC("lsm.s/file_open")
int BPF_PROG(on_open, struct file *file, int ret)
{
	if (!ret && (bpf_get_current_pid_tgid() >> 32) == targ_tgid)
		result = bpf_copy_from_user(copied, sizeof(copied), (void *)user_address);
	return ret;
}

char LICENSE[] SEC("license") = "GPL";
