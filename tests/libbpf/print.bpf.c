// SPDX-License-Identifier: Apache-2.0
// Text out of programs: bpf_printk with few and many values, bpf_trace_printk as the kernel has it, BPF_SNPRINTF.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char line[64];
long line_length = 0;

SEC("socket")
int speak(struct __sk_buff *skb)
{
	char format[] = "sized %d %s";
	char word[] = "word";
	char few[] = "few";

	bpf_printk("plain");
	bpf_printk("three %d %u %x", -1, 2, 255);
	bpf_printk("six %d %d %d %d %d %s", 1, 2, 3, 4, 5, word);
	bpf_trace_printk(format, sizeof(format), 42, word);
	bpf_trace_printk(few, sizeof(few));
	line_length = BPF_SNPRINTF(line, sizeof(line), "<%d|%s|%05x|%llu|%c>", -7, "seven", 0xabc, 1ULL << 40, '!');
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
