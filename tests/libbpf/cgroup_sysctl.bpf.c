// SPDX-License-Identifier: Apache-2.0
// A control group that reads one name of the machine and does not change it.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char name_seen[32], value_seen[32], new_seen[32];
int reads = 0, writes = 0;

SEC("cgroup/sysctl")
int watch(struct bpf_sysctl *ctx)
{
	char name[32] = {};

	bpf_sysctl_get_name(ctx, name, sizeof(name), 0);
	if (__builtin_memcmp(name, "kernel/domainname", 18))
		return 1;
	__builtin_memcpy(name_seen, name, sizeof(name));
	bpf_sysctl_get_current_value(ctx, value_seen, sizeof(value_seen));
	if (!ctx->write) {
		reads++;
		return 1;
	}
	bpf_sysctl_get_new_value(ctx, new_seen, sizeof(new_seen));
	writes++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
