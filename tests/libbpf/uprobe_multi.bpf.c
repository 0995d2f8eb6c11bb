// SPDX-License-Identifier: Apache-2.0
// Several functions of the C library by a pattern, told apart by their addresses.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} calls SEC(".maps");

SEC("uprobe.multi/libc.so.6:getp*id")
int BPF_UPROBE(entered)
{
	__u64 address = bpf_get_func_ip(ctx), one = 1, *count;

	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	count = bpf_map_lookup_elem(&calls, &address);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&calls, &address, &one, BPF_NOEXIST);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
