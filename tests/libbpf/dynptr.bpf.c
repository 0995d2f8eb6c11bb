// SPDX-License-Identifier: Apache-2.0
// Memory of a size that is known when the program runs: dynptrs over a ring buffer, a map's value and a packet.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

char area[64] = "0123456789abcdef";
__u32 got = 0, in_place = 0;
long written = 1, too_far = 1;

SEC("socket")
int copies(struct __sk_buff *skb)
{
	struct bpf_dynptr record, memory;
	__u32 size = skb->len, *first;

	if (size > 1024)
		return 1;
	if (!bpf_ringbuf_reserve_dynptr(&events, size, 0, &record)) {
		bpf_dynptr_write(&record, 0, &size, sizeof(size), 0);
		bpf_dynptr_write(&record, size - 4, "end", 4, 0);
		bpf_ringbuf_submit_dynptr(&record, 0);
	} else {
		bpf_ringbuf_discard_dynptr(&record, 0);
	}
	bpf_dynptr_from_mem(area, sizeof(area), 0, &memory);
	bpf_dynptr_read(&got, sizeof(got), &memory, 4, 0);
	written = bpf_dynptr_write(&memory, 10, "XYZ", 3, 0);
	too_far = bpf_dynptr_write(&memory, 62, "XYZ", 3, 0);
	first = bpf_dynptr_data(&memory, 0, sizeof(*first));
	if (first)
		in_place = *first;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
