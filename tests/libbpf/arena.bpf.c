// SPDX-License-Identifier: Apache-2.0
// Memory that the program and its host share, with pointers that are good for both.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
} arena SEC(".maps");

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id, __u64 flags) __ksym;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym;

struct element {
	struct element __arena *next;
	__u64 value;
};

__u64 sum = 0, address = 0;

SEC("syscall")
int build(void *ctx)
{
	struct element __arena *elements = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	struct element __arena *at;
	int i;

	if (!elements)
		return 1;
	for (i = 0; i < 10; i++) {
		elements[i].value = i * i;
		elements[i].next = i < 9 ? &elements[i + 1] : NULL;
	}
	for (i = 0, at = elements; i < 100 && at; i++, at = at->next)
		sum += at->value;
	address = (__u64)elements;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
