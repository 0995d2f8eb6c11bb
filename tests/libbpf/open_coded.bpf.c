// SPDX-License-Identifier: Apache-2.0
// Loops written as loops: bpf_for, bpf_repeat.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

__u64 sum, repeats, broken_at, nested;

SEC("syscall")
int numbers(void *ctx)
{
	int i = 0, j;

	bpf_for(i, 1, 101)
		sum += i;
	bpf_repeat(1000) {
		if (++repeats == 77)
			break;
	}
	bpf_for(i, 0, 100) {
		if (i == 42)
			break;
	}
	broken_at = i;
	bpf_for(i, 0, 10) {
		bpf_for(j, 0, i)
			nested++;
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
