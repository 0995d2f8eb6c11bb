// SPDX-License-Identifier: Apache-2.0
// A ring buffer that the host writes and the program drains.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} requests SEC(".maps");

struct request {
	__u32 kind;
	__u32 value;
};

__u64 sum = 0, others = 0;
long drained = 0;

static long take(struct bpf_dynptr *record, void *data)
{
	struct request request;

	if (bpf_dynptr_read(&request, sizeof(request), record, 0, 0))
		return 1;
	if (request.kind == 1)
		sum += request.value;
	else
		others++;
	return 0;
}

SEC("tp/syscalls/sys_enter_kill")
int drain(void *ctx)
{
	long count = bpf_user_ringbuf_drain(&requests, take, NULL, 0);

	if (count > 0)
		drained += count;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
