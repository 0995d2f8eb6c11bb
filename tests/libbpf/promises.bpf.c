// SPDX-License-Identifier: Apache-2.0
// A promise about an argument of a function that is verified by itself.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct point {
	int x, y;
};

static __always_inline int absolute(int number)
{
	return number < 0 ? -number : number;
}

/* Kernels since 6.8 take the promise for the check. */
__noinline int norm_of_some(struct point *point __arg_nonnull)
{
	return absolute(point->x) + absolute(point->y);
}

SEC("tc")
int promises(struct __sk_buff *skb)
{
	struct point point = { 30, -40 };

	return norm_of_some(&point);
}

char LICENSE[] SEC("license") = "GPL";
