/* SPDX-License-Identifier: Apache-2.0 */
/* Every method of every map with keys and values.
 * flags: -Wno-deprecated-declarations
 * load */
struct key { u32 pid; char comm[TASK_COMM_LEN]; };
struct value { u64 count; u32 flags; u32 pad; };
struct lpm_key { u32 prefixlen; u32 addr; };

BPF_HASH(hash1);
BPF_HASH(hash2, u32);
BPF_HASH(hash3, struct key, u32);
BPF_HASH(hash4, u32, struct value, 16 * 4);
BPF_HASH(bytes, u32, u8);
BPF_HASH(signed_counts, int, s64);
BPF_ARRAY(array1);
BPF_ARRAY(array2, u32);
BPF_ARRAY(array3, struct value, 8);
BPF_PERCPU_HASH(percpu_hash1);
BPF_PERCPU_HASH(percpu_hash2, u32);
BPF_PERCPU_HASH(percpu_hash3, u32, u32);
BPF_PERCPU_HASH(percpu_hash4, struct key, u64, 64);
BPF_PERCPU_ARRAY(percpu_array1);
BPF_PERCPU_ARRAY(percpu_array2, u32);
BPF_PERCPU_ARRAY(percpu_array3, struct value, 4);
BPF_LRU_HASH(lru1);
BPF_LRU_HASH(lru4, u32, u64, 128);
BPF_LRU_PERCPU_HASH(lru_percpu1);
BPF_LRU_PERCPU_HASH(lru_percpu4, u32, u64, 128);
BPF_LPM_TRIE(trie1);
BPF_LPM_TRIE(trie, struct lpm_key, u64, 16);
BPF_HISTOGRAM(dist1);
BPF_HISTOGRAM(dist2, struct key);
BPF_HISTOGRAM(dist3, int, 128);
BPF_HISTOGRAM(dist4, u32, 128);

SEC("tracepoint/sched/sched_switch")
int lookups(void *ctx)
{
	u64 k = bpf_get_current_pid_tgid(), zero = 0, *v;
	u32 pid = k >> 32, one = 1;
	int slot = 1;
	struct key key = {};
	struct value value = {}, *found;
	struct lpm_key lpm = { 32, 0x7f000001 };

	key.pid = pid;
	bpf_get_current_comm(&key.comm, sizeof(key.comm));
	v = hash1.lookup(&k);
	if (v)
		*v += 1;
	v = hash1.lookup_or_try_init(&k, &zero);
	if (v)
		lock_xadd(v, 1);
	v = hash2.lookup_or_init(&pid, &zero);
	if (v)
		(*v)++;
	hash3.update(&key, &one);
	hash3.insert(&key, &one);
	hash3.delete(&key);
	found = hash4.lookup_or_try_init(&pid, &value);
	if (found)
		found->count++;
	found = array3.lookup(&slot);
	if (found)
		found->flags |= 1;
	array1.update(&slot, &zero);
	array2.insert(&slot, &one);
	array2.delete(&slot);
	percpu_hash1.update(&k, &zero);
	percpu_hash2.delete(&pid);
	found = percpu_array3.lookup(&slot);
	if (found)
		found->count++;
	lru1.update(&k, &zero);
	lru_percpu1.update(&k, &zero);
	v = trie.lookup(&lpm);
	if (v)
		*v += 1;
	trie.delete(&lpm);
	v = dist1.lookup(&slot);
	if (v)
		*v = 0;
	return 0;
}
