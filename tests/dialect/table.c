/* SPDX-License-Identifier: Apache-2.0 */
/* BPF_TABLE by type string, with the methods that the type has.
 * load: -DLOAD
 * notes: users:public given:shared kept:pin=/sys/fs/bpf/bpflua_kept kept2:pin=/sys/fs/bpf/bpflua_kept2 elsewhere:type=extern inners:type=array_of_maps$kept */
struct key { u32 a, b; };
BPF_TABLE("hash", struct key, u64, hash, 16);
BPF_TABLE("array", int, u64, array, 16);
BPF_TABLE("percpu_hash", u32, u64, percpu_hash, 16);
BPF_TABLE("percpu_array", int, u32, percpu_array, 16);
BPF_TABLE("lru_hash", u32, u64, lru, 16);
BPF_TABLE("lru_percpu_hash", u32, u64, lru_percpu, 16);
BPF_F_TABLE("lpm_trie", struct key, u64, trie, 16, BPF_F_NO_PREALLOC);
BPF_F_TABLE("hash", u32, u64, lazy, 16, BPF_F_NO_PREALLOC);
BPF_TABLE("histogram", int, u64, dist, 64);
BPF_TABLE("histogram", struct key, u64, dist_by, 64);
BPF_TABLE("prog", u32, u32, programs, 4);
BPF_TABLE("stacktrace", int, struct bpf_stacktrace, stacks, 64);
BPF_TABLE("perf_output", int, u32, events, 0);
BPF_TABLE("perf_array", int, u32, counters, 8);
BPF_TABLE("cgroup_array", u32, u32, cgroups, 1);
BPF_TABLE("devmap", int, int, devices, 4);
BPF_TABLE("cpumap", int, int, cpus, 4);
BPF_TABLE("xskmap", int, int, sockets, 4);
BPF_TABLE("sockmap", u32, int, sockmap, 4);
BPF_TABLE("sockhash", struct key, int, sockhash, 4);
BPF_TABLE_PUBLIC("hash", u32, u64, users, 16);
BPF_TABLE_SHARED("hash", u32, u64, given, 16);
BPF_TABLE_SHARED("array", int, u64, given2, 16, 0);
BPF_TABLE_PINNED("hash", u32, u64, kept, 16, "/sys/fs/bpf/bpflua_kept");
BPF_TABLE_PINNED("hash", u32, u64, kept2, 16, "/sys/fs/bpf/bpflua_kept2", BPF_F_NO_PREALLOC);
BPF_TABLE("extern", u32, u64, elsewhere, 16);
#ifndef LOAD
BPF_TABLE("sk_storage", int, u64, of_sk, 0);
BPF_TABLE("inode_storage", int, u64, of_inode, 0);
BPF_TABLE("task_storage", int, u64, of_task, 0);
BPF_TABLE("cgroup_storage", struct __bpflua_cgroup_storage_key, u64, of_cgroup, 0);
BPF_TABLE("array_of_maps$kept", int, int, inners, 4);
BPF_TABLE("hash_of_maps$kept", u32, int, inners2, 4);
#endif

SEC("perf_event")
int tables(void *ctx)
{
	struct key key = { 1, 2 };
	u64 one = 1, *v;
	u32 pid = 3;
	int slot = 1;

	hash.increment(key);
	hash.increment((struct key){ 3, 4 }, 5);
	v = hash.lookup_or_try_init(&key, &one);
	if (v)
		*v += 1;
	array.atomic_increment(slot, 2);
	percpu_hash.increment(pid);
	percpu_array.increment(slot);
	lru.insert(&pid, &one);
	lru_percpu.update(&pid, &one);
	trie.lookup(&key);
	lazy.delete(&pid);
	dist.increment(bpf_log2l(one));
	dist_by.increment(key);
	stacks.get_stackid(ctx, 0);
	events.perf_submit(ctx, &key, sizeof(key));
	counters.perf_read(0);
	cgroups.check_current_task(0);
	users.increment(pid);
	given.increment(pid);
	given2.increment(slot);
	kept.increment(pid);
	kept2.lookup_or_init(&pid, &one);
	elsewhere.increment(pid);
	programs.call(ctx, 2);
	return 0;
}

#ifndef LOAD
int storages(void *ctx)
{
	u64 one = 1;
	u32 pid = 3;
	int slot = 1;
	struct key key = { 1, 2 };
	void *inner = inners.lookup(&slot);

	if (inner)
		bpf_map_lookup_elem(inner, &pid);
	inner = inners2.lookup(&pid);
	of_sk.sk_storage_get(ctx, &one, 1);
	of_sk.sk_storage_delete(ctx);
	of_inode.inode_storage_get(ctx, &one, 1);
	of_inode.inode_storage_delete(ctx);
	of_task.task_storage_get(bpf_get_current_task_btf(), 0, 0);
	of_task.task_storage_delete(bpf_get_current_task_btf());
	sockhash.sock_hash_update(ctx, &key, 0);
	sockhash.msg_redirect_hash(ctx, &key, 0);
	sockhash.sk_redirect_hash(ctx, &key, 0);
	sockmap.sock_map_update(ctx, &pid, 0);
	sockmap.msg_redirect_map(ctx, 1, 0);
	sockmap.sk_redirect_map(ctx, 1, 0);
	devices.redirect_map(1, 0);
	cpus.redirect_map(1, 0);
	sockets.redirect_map(1, 0);
	return *of_cgroup.get_local_storage(0) + (inner == 0);
}
#endif
