// SPDX-License-Identifier: Apache-2.0
// One process may not open one file.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
const volatile char denied[16] = "";
int denials = 0;

SEC("lsm/file_open")
int BPF_PROG(restrict_open, struct file *file, int ret)
{
	char name[16] = {};
	int i;

	if (ret || (bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return ret;
	bpf_probe_read_kernel_str(name, sizeof(name), file->f_path.dentry->d_name.name);
	for (i = 0; i < sizeof(name); i++)
		if (name[i] != denied[i])
			return 0;
	__sync_fetch_and_add(&denials, 1);
	return -13; /* EACCES */
}

char LICENSE[] SEC("license") = "GPL";
