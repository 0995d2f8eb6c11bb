// SPDX-License-Identifier: Apache-2.0
/* What benches/scripts/hits.lua does, for libbpf. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, __u64);
} count SEC(".maps");

SEC("fentry/vfs_read")
int BPF_PROG(hit, void *file)
{
	int zero = 0;
	__u64 *value = bpf_map_lookup_elem(&count, &zero);
	if (value && file)
		*value += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
