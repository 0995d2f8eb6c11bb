/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of maps: the host makes the inner map known before it loads them.
 * notes: outer:inner=inner outer_hash:inner=inner outer_key:inner=inner outer_all:inner=inner */
BPF_ARRAY(inner, u64, 8);
BPF_ARRAY_OF_MAPS(outer, "inner", 4);
BPF_HASH_OF_MAPS(outer_hash, "inner");
BPF_HASH_OF_MAPS(outer_key, u64, "inner");
BPF_HASH_OF_MAPS(outer_all, u64, "inner", 16);
BPF_INODE_STORAGE(of_inode, u64);
BPF_TASK_STORAGE(of_task, u64);

int inners(void *ctx)
{
	int slot = 1;
	u64 key = 2, *v, one = 1;
	void *map = outer.lookup(&slot);

	if (map) {
		v = bpf_map_lookup_elem(map, &slot);
		if (v)
			*v += 1;
	}
	map = outer_hash.lookup(&slot);
	if (map)
		bpf_map_update_elem(map, &slot, &key, BPF_ANY);
	if (outer_key.lookup(&key) || outer_all.lookup(&key))
		of_inode.inode_storage_get(ctx, &one, 1);
	of_inode.inode_storage_delete(ctx);
	v = of_task.task_storage_get(bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (v)
		*v += 1;
	return of_task.task_storage_delete(bpf_get_current_task_btf());
}
