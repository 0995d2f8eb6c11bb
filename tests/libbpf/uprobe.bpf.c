// SPDX-License-Identifier: Apache-2.0
// A function of the C library, its strings read as the user's.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char name_seen[32], value_seen[32];
int overwrites = 0;
__u64 calls = 0;

SEC("uprobe/libc.so.6:setenv")
int BPF_UPROBE(setenv_entry, const char *name, const char *value, int overwrite)
{
	bpf_probe_read_user_str(name_seen, sizeof(name_seen), name);
	bpf_probe_read_user_str(value_seen, sizeof(value_seen), value);
	overwrites = overwrite;
	calls++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
