// SPDX-License-Identifier: Apache-2.0
// A program that is run by hand and makes system calls of its own: it creates a map and fills it.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct request {
	__u32 max_entries;
	__u32 key;
	__u64 value;
	int map_fd;
	int result;
};

SEC("syscall")
int make_map(struct request *request)
{
	static union bpf_attr create = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = 4,
		.value_size = 8,
		.map_name = "by_program",
	};
	static union bpf_attr update;
	static __u32 key;
	static __u64 value;

	create.max_entries = request->max_entries;
	request->map_fd = bpf_sys_bpf(BPF_MAP_CREATE, &create, sizeof(create));
	if (request->map_fd <= 0)
		return 1;
	key = request->key;
	value = request->value;
	update.map_fd = request->map_fd;
	update.key = (__u64)(long)&key;
	update.value = (__u64)(long)&value;
	request->result = bpf_sys_bpf(BPF_MAP_UPDATE_ELEM, &update, sizeof(update));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
