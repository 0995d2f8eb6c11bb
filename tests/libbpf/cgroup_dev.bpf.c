// SPDX-License-Identifier: Apache-2.0
// A control group that cannot open one device.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define BPF_DEVCG_DEV_CHAR 2

const volatile __u32 major_number = 0, minor_number = 0;
int refused = 0;

SEC("cgroup/dev")
int open_device(struct bpf_cgroup_dev_ctx *ctx)
{
	if ((ctx->access_type & 0xffff) != BPF_DEVCG_DEV_CHAR)
		return 1;
	if (ctx->major != major_number || ctx->minor != minor_number)
		return 1;
	refused++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
