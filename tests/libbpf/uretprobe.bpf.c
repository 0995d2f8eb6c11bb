// SPDX-License-Identifier: Apache-2.0
// What a function of the C library returns.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
char value_seen[32];
bool was_null = false;

SEC("uretprobe/libc.so.6:getenv")
int BPF_URETPROBE(getenv_exit, const char *value)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	was_null = !value;
	if (value)
		bpf_probe_read_user_str(value_seen, sizeof(value_seen), value);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
