// SPDX-License-Identifier: Apache-2.0
// One process is told that it may not make folders.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
int before = 1;

SEC("fmod_ret/security_inode_mkdir")
int BPF_PROG(no_folders, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return ret;
	before = ret;
	return -12; /* ENOMEM: nothing else says so here */
}

char LICENSE[] SEC("license") = "GPL";
