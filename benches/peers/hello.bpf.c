// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("uprobe")
int hello(void *ctx)
{
	bpf_printk("hello\n");
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
