// SPDX-License-Identifier: Apache-2.0
// A function with a struct by value among its arguments (BPF_PROG2).
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
int level_seen, name_seen, length_seen, value_seen;
bool is_kernel = true;

SEC("fentry/tcp_setsockopt")
int BPF_PROG2(set_option, struct sock *, sk, int, level, int, optname, sockptr_t, optval, unsigned int, optlen)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	level_seen = level;
	name_seen = optname;
	length_seen = optlen;
	is_kernel = optval.is_kernel;
	bpf_probe_read_user(&value_seen, sizeof(value_seen), optval.user);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
