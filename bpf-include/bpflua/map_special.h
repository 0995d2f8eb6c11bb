/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Maps that hold something other than plain values: programs, devices, maps, sockets, counters, storage. */
#ifndef BPFLUA_MAP_SPECIAL_H
#define BPFLUA_MAP_SPECIAL_H
#pragma clang system_header

/* A method that passes its arguments to a helper, with the map in the helper's place for it. */
#define __BPFLUA_DEF(NAME, METHOD, RET, PARAMS, CALL) \
	__BPFLUA_FN RET __bpflua_##NAME##_##METHOD PARAMS { return CALL; }

/* Counters of the CPU (perf events that the host opens). */
#define __BPFLUA_DEF_PERF_READ(NAME)                                                                  \
	__BPFLUA_DEF(NAME, perf_read, u64, (u64 __bpflua_cpu),                                        \
		     bpf_perf_event_read(__BPFLUA_M(NAME), __bpflua_cpu))                             \
	__BPFLUA_DEF(NAME, perf_counter_value, int, (u64 __bpflua_cpu, void *__bpflua_buf, u32 __bpflua_size), \
		     bpf_perf_event_read_value(__BPFLUA_M(NAME), __bpflua_cpu, __bpflua_buf, __bpflua_size))
#define __BPFLUA_PERF_READ(DO, NAME) DO(NAME, perf_read) DO(NAME, perf_counter_value)
#define BPF_PERF_ARRAY(NAME, MAX)                                                                     \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_PERF_EVENT_ARRAY, int, u32, MAX, 0)                       \
	__BPFLUA_DEF_PERF_READ(NAME)                                                                  \
	__BPFLUA_ONE_TABLE(perf_array, NAME, __BPFLUA_PERF_READ)

/* Tail calls. */
#define __BPFLUA_DEF_CALL(NAME)                                                                       \
	__BPFLUA_DEF(NAME, call, void, (void *__bpflua_ctx, u32 __bpflua_index),                      \
		     (void)bpf_tail_call(__bpflua_ctx, __BPFLUA_M(NAME), __bpflua_index))
#define __BPFLUA_CALL(DO, NAME) DO(NAME, call)
#define BPF_PROG_ARRAY(NAME, MAX)                                                                     \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_PROG_ARRAY, u32, u32, MAX, 0)                             \
	__BPFLUA_DEF_CALL(NAME)                                                                       \
	__BPFLUA_ONE_TABLE(prog_array, NAME, __BPFLUA_CALL)

/* The current task's cgroup. */
#define __BPFLUA_DEF_CHECK_TASK(NAME)                                                                 \
	__BPFLUA_DEF(NAME, check_current_task, int, (u32 __bpflua_index),                            \
		     bpf_current_task_under_cgroup(__BPFLUA_M(NAME), __bpflua_index))
#define __BPFLUA_CHECK_TASK(DO, NAME) DO(NAME, check_current_task)
#define BPF_CGROUP_ARRAY(NAME, MAX)                                                                   \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_CGROUP_ARRAY, u32, u32, MAX, 0)                           \
	__BPFLUA_DEF_CHECK_TASK(NAME)                                                                 \
	__BPFLUA_ONE_TABLE(cgroup_array, NAME, __BPFLUA_CHECK_TASK)

/* Where XDP sends a packet. A program may look into the device and socket maps, not into the CPU map. */
#define __BPFLUA_DEF_REDIRECT(NAME)                                                                   \
	__BPFLUA_DEF(NAME, redirect_map, int, (u64 __bpflua_index, u64 __bpflua_flags),              \
		     bpf_redirect_map(__BPFLUA_M(NAME), __bpflua_index, __bpflua_flags))
#define __BPFLUA_REDIRECT(DO, NAME) DO(NAME, redirect_map)
#define __BPFLUA_REDIRECT_LOOKUP(DO, NAME) DO(NAME, redirect_map) DO(NAME, lookup)
#define __BPFLUA_REDIRECT_MAP(KIND, TYPE, NAME, MAX, METHODS)                                         \
	__BPFLUA_KV_VAR(NAME, TYPE, int, int, MAX, 0)                                                 \
	__BPFLUA_DEF_REDIRECT(NAME)                                                                   \
	__BPFLUA_DEF(NAME, lookup, void *, (const int *__bpflua_k),                                   \
		     bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k))                                                           \
	__BPFLUA_ONE_TABLE(KIND, NAME, METHODS)
#define BPF_DEVMAP(NAME, MAX) \
	__BPFLUA_REDIRECT_MAP(devmap, __BPFLUA_TYPE_DEVMAP, NAME, MAX, __BPFLUA_REDIRECT_LOOKUP)
#define BPF_CPUMAP(NAME, MAX) \
	__BPFLUA_REDIRECT_MAP(cpumap, __BPFLUA_TYPE_CPUMAP, NAME, MAX, __BPFLUA_REDIRECT)
#define BPF_XSKMAP(...) __BPFLUA_BY_COUNT(__BPFLUA_XSKMAP, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_XSKMAP2(NAME, MAX) \
	__BPFLUA_REDIRECT_MAP(xskmap, __BPFLUA_TYPE_XSKMAP, NAME, MAX, __BPFLUA_REDIRECT_LOOKUP)
#define __BPFLUA_XSKMAP3(NAME, MAX, PATH) __BPFLUA_NOTE(NAME, "pin=" PATH) __BPFLUA_XSKMAP2(NAME, MAX)

/* Maps of maps: lookup gives the inner map, for the plain helpers (bpf_map_lookup_elem and so on). */
#define __BPFLUA_OF_MAPS(KIND, TYPE, NAME, K, INNER, MAX)                                             \
	__BPFLUA_NOTE(NAME, "inner=" INNER)                                                           \
	__BPFLUA_KV_VAR(NAME, TYPE, K, u32, MAX, 0)                                                   \
	__BPFLUA_DEF(NAME, lookup, void *, (const __bpflua_##NAME##_k *__bpflua_k),                             \
		     bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k))                               \
	__BPFLUA_ONE_TABLE(KIND, NAME, __BPFLUA_LOOKUP)
#define __BPFLUA_LOOKUP(DO, NAME) DO(NAME, lookup)
#define BPF_ARRAY_OF_MAPS(NAME, INNER, MAX) \
	__BPFLUA_OF_MAPS(array_of_maps, __BPFLUA_TYPE_ARRAY_OF_MAPS, NAME, int, INNER, MAX)
#define BPF_HASH_OF_MAPS(...) __BPFLUA_BY_COUNT(__BPFLUA_HASH_OF_MAPS, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_HASH_OF_MAPS2(NAME, INNER) __BPFLUA_HASH_OF_MAPS4(NAME, int, INNER, 10240)
#define __BPFLUA_HASH_OF_MAPS3(NAME, K, INNER) __BPFLUA_HASH_OF_MAPS4(NAME, K, INNER, 10240)
#define __BPFLUA_HASH_OF_MAPS4(NAME, K, INNER, MAX) \
	__BPFLUA_OF_MAPS(hash_of_maps, __BPFLUA_TYPE_HASH_OF_MAPS, NAME, K, INNER, MAX)

/* Queues and stacks have values and no keys. */
#define __BPFLUA_QUEUE(DO, NAME) DO(NAME, push) DO(NAME, pop) DO(NAME, peek)
#define __BPFLUA_QUEUE_MAP(KIND, TYPE, NAME, V, MAX, FLAGS)                                           \
	typedef typeof(V) __bpflua_##NAME##_v;                                                        \
	__BPFLUA_VAR(NAME, TYPE, __bpflua_##NAME##_v *value; int (*max_entries)[MAX]; int (*map_flags)[FLAGS];)         \
	__BPFLUA_LOST(NAME)                                                                           \
	__BPFLUA_FN int __bpflua_##NAME##_push(const __bpflua_##NAME##_v *__bpflua_v, u64 __bpflua_flags) \
	{                                                                                             \
		int __bpflua_e = bpf_map_push_elem(__BPFLUA_M(NAME), __bpflua_v, __bpflua_flags);     \
		if (__bpflua_e)                                                                       \
			__bpflua_lose(&__bpflua_lost_##NAME, __bpflua_e);                             \
		return __bpflua_e;                                                                    \
	}                                                                                             \
	__BPFLUA_DEF(NAME, pop, int, (__bpflua_##NAME##_v *__bpflua_v), bpf_map_pop_elem(__BPFLUA_M(NAME), __bpflua_v)) \
	__BPFLUA_DEF(NAME, peek, int, (__bpflua_##NAME##_v *__bpflua_v), bpf_map_peek_elem(__BPFLUA_M(NAME), __bpflua_v)) \
	__BPFLUA_ONE_TABLE(KIND, NAME, __BPFLUA_QUEUE)
#define BPF_QUEUE(...) __BPFLUA_BY_COUNT(__BPFLUA_QUEUE, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_QUEUE3(NAME, V, MAX) __BPFLUA_QUEUE4(NAME, V, MAX, 0)
#define __BPFLUA_QUEUE4(NAME, V, MAX, FLAGS) \
	__BPFLUA_QUEUE_MAP(queue, __BPFLUA_TYPE_QUEUE, NAME, V, MAX, FLAGS)
#define BPF_STACK(...) __BPFLUA_BY_COUNT(__BPFLUA_STACK, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_STACK3(NAME, V, MAX) __BPFLUA_STACK4(NAME, V, MAX, 0)
#define __BPFLUA_STACK4(NAME, V, MAX, FLAGS) \
	__BPFLUA_QUEUE_MAP(stack, __BPFLUA_TYPE_STACK, NAME, V, MAX, FLAGS)
#define __BPFLUA_QUEUESTACK(KIND, NAME, V, MAX, FLAGS)                                                \
	_Static_assert(!__builtin_strcmp(KIND, "queue") || !__builtin_strcmp(KIND, "stack") ||        \
			       !__builtin_strcmp(KIND, "extern"),                                     \
		       "the first argument is \"queue\", \"stack\" or \"extern\"");                   \
	__BPFLUA_QUEUE_MAP(queue, __builtin_strcmp(KIND, "stack") ? __BPFLUA_TYPE_QUEUE : __BPFLUA_TYPE_STACK, \
			   NAME, V, MAX, FLAGS)
/* "extern" is one that another object made public or shared; its type and size are that one's. */
#define BPF_QUEUESTACK(KIND, NAME, V, MAX, FLAGS) \
	__BPFLUA_NOTE(NAME, "type=" KIND) __BPFLUA_QUEUESTACK(KIND, NAME, V, MAX, FLAGS)
#define BPF_QUEUESTACK_PINNED(KIND, NAME, V, MAX, FLAGS, PATH) \
	__BPFLUA_NOTE(NAME, "pin=" PATH) __BPFLUA_QUEUESTACK(KIND, NAME, V, MAX, FLAGS)
#define BPF_QUEUESTACK_PUBLIC(KIND, NAME, V, MAX, FLAGS) \
	__BPFLUA_NOTE(NAME, "public") __BPFLUA_QUEUESTACK(KIND, NAME, V, MAX, FLAGS)
#define BPF_QUEUESTACK_SHARED(KIND, NAME, V, MAX, FLAGS) \
	__BPFLUA_NOTE(NAME, "shared") __BPFLUA_QUEUESTACK(KIND, NAME, V, MAX, FLAGS)

/* Sockets by key. */
#define __BPFLUA_DEF_SOCKHASH(NAME)                                                                \
	__BPFLUA_DEF(NAME, sock_hash_update, int, (void *__bpflua_ctx, const __bpflua_##NAME##_k *__bpflua_k, u64 __bpflua_flags), \
		     bpf_sock_hash_update(__bpflua_ctx, __BPFLUA_M(NAME), (void *)__bpflua_k, __bpflua_flags)) \
	__BPFLUA_DEF(NAME, msg_redirect_hash, int, (void *__bpflua_ctx, const __bpflua_##NAME##_k *__bpflua_k, u64 __bpflua_flags), \
		     bpf_msg_redirect_hash(__bpflua_ctx, __BPFLUA_M(NAME), (void *)__bpflua_k, __bpflua_flags)) \
	__BPFLUA_DEF(NAME, sk_redirect_hash, int, (void *__bpflua_ctx, const __bpflua_##NAME##_k *__bpflua_k, u64 __bpflua_flags), \
		     bpf_sk_redirect_hash(__bpflua_ctx, __BPFLUA_M(NAME), (void *)__bpflua_k, __bpflua_flags))
#define __BPFLUA_DEF_SOCKMAP(NAME)                                                                 \
	__BPFLUA_DEF(NAME, sock_map_update, int, (void *__bpflua_ctx, const __bpflua_##NAME##_k *__bpflua_k, u64 __bpflua_flags), \
		     bpf_sock_map_update(__bpflua_ctx, __BPFLUA_M(NAME), (void *)__bpflua_k, __bpflua_flags)) \
	__BPFLUA_DEF(NAME, msg_redirect_map, int, (void *__bpflua_ctx, u32 __bpflua_k, u64 __bpflua_flags), \
		     bpf_msg_redirect_map(__bpflua_ctx, __BPFLUA_M(NAME), __bpflua_k, __bpflua_flags)) \
	__BPFLUA_DEF(NAME, sk_redirect_map, int, (void *__bpflua_ctx, u32 __bpflua_k, u64 __bpflua_flags), \
		     bpf_sk_redirect_map(__bpflua_ctx, __BPFLUA_M(NAME), __bpflua_k, __bpflua_flags))
#define __BPFLUA_SOCK_KEYED(DO, NAME) DO(NAME, lookup) DO(NAME, update) DO(NAME, insert) DO(NAME, delete)
#define __BPFLUA_DEF_SOCK_KEYED(NAME)                                                              \
	__BPFLUA_DEF(NAME, lookup, struct bpf_sock *, (const __bpflua_##NAME##_k *__bpflua_k),                  \
		     bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k))                               \
	__BPFLUA_DEF(NAME, update, int, (const __bpflua_##NAME##_k *__bpflua_k, const void *__bpflua_v),       \
		     bpf_map_update_elem(__BPFLUA_M(NAME), __bpflua_k, __bpflua_v, __BPFLUA_ANY))     \
	__BPFLUA_DEF(NAME, insert, int, (const __bpflua_##NAME##_k *__bpflua_k, const void *__bpflua_v),       \
		     bpf_map_update_elem(__BPFLUA_M(NAME), __bpflua_k, __bpflua_v, __BPFLUA_NOEXIST)) \
	__BPFLUA_DEF(NAME, delete, int, (const __bpflua_##NAME##_k *__bpflua_k), bpf_map_delete_elem(__BPFLUA_M(NAME), __bpflua_k))
#define __BPFLUA_SOCKHASH_METHODS(DO, NAME) \
	__BPFLUA_SOCK_KEYED(DO, NAME) DO(NAME, sock_hash_update) DO(NAME, msg_redirect_hash) DO(NAME, sk_redirect_hash)
#define __BPFLUA_SOCKMAP_METHODS(DO, NAME) \
	__BPFLUA_SOCK_KEYED(DO, NAME) DO(NAME, sock_map_update) DO(NAME, msg_redirect_map) DO(NAME, sk_redirect_map)
#define BPF_SOCKHASH(...) __BPFLUA_BY_COUNT(__BPFLUA_SOCKHASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_SOCKHASH1(NAME) __BPFLUA_SOCKHASH3(NAME, u32, 10240)
#define __BPFLUA_SOCKHASH2(NAME, K) __BPFLUA_SOCKHASH3(NAME, K, 10240)
#define __BPFLUA_SOCKHASH3(NAME, K, MAX)                                                              \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_SOCKHASH, K, int, MAX, 0)                                 \
	__BPFLUA_DEF_SOCK_KEYED(NAME)                                                              \
	__BPFLUA_DEF_SOCKHASH(NAME)                                                                \
	__BPFLUA_ONE_TABLE(sockhash, NAME, __BPFLUA_SOCKHASH_METHODS)
#define BPF_SOCKMAP(NAME, MAX)                                                                        \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_SOCKMAP, u32, int, MAX, 0)                                \
	__BPFLUA_DEF_SOCK_KEYED(NAME)                                                            \
	__BPFLUA_DEF_SOCKMAP(NAME)                                                               \
	__BPFLUA_ONE_TABLE(sockmap, NAME, __BPFLUA_SOCKMAP_METHODS)

/* Storage that belongs to a socket, an inode, a task or a cgroup. */
#define __BPFLUA_DEF_STORAGE(NAME, GET, DELETE, GET_HELPER, DELETE_HELPER)                         \
	__BPFLUA_DEF(NAME, GET, __bpflua_##NAME##_v *, (void *__bpflua_of, const __bpflua_##NAME##_v *__bpflua_v, u64 __bpflua_flags), \
		     GET_HELPER(__BPFLUA_M(NAME), __bpflua_of, (void *)__bpflua_v, __bpflua_flags))   \
	__BPFLUA_DEF(NAME, DELETE, int, (void *__bpflua_of), DELETE_HELPER(__BPFLUA_M(NAME), __bpflua_of))
#define __BPFLUA_DEF_SK_STORAGE(NAME) \
	__BPFLUA_DEF_STORAGE(NAME, sk_storage_get, sk_storage_delete, bpf_sk_storage_get, bpf_sk_storage_delete)
#define __BPFLUA_DEF_INODE_STORAGE(NAME)                                                           \
	__BPFLUA_DEF_STORAGE(NAME, inode_storage_get, inode_storage_delete, bpf_inode_storage_get, \
			     bpf_inode_storage_delete)
#define __BPFLUA_DEF_TASK_STORAGE(NAME)                                                            \
	__BPFLUA_DEF_STORAGE(NAME, task_storage_get, task_storage_delete, bpf_task_storage_get,    \
			     bpf_task_storage_delete)
#define __BPFLUA_SK_STORAGE(DO, NAME) DO(NAME, sk_storage_get) DO(NAME, sk_storage_delete)
#define __BPFLUA_INODE_STORAGE(DO, NAME) DO(NAME, inode_storage_get) DO(NAME, inode_storage_delete)
#define __BPFLUA_TASK_STORAGE(DO, NAME) DO(NAME, task_storage_get) DO(NAME, task_storage_delete)
#define BPF_SK_STORAGE(NAME, V)                                                                       \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_SK_STORAGE, int, V, 0, __BPFLUA_NO_PREALLOC)              \
	__BPFLUA_DEF_SK_STORAGE(NAME)                                                              \
	__BPFLUA_ONE_TABLE(sk_storage, NAME, __BPFLUA_SK_STORAGE)
#define BPF_INODE_STORAGE(NAME, V)                                                                    \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_INODE_STORAGE, int, V, 0, __BPFLUA_NO_PREALLOC)           \
	__BPFLUA_DEF_INODE_STORAGE(NAME)                                                           \
	__BPFLUA_ONE_TABLE(inode_storage, NAME, __BPFLUA_INODE_STORAGE)
#define BPF_TASK_STORAGE(NAME, V)                                                                     \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_TASK_STORAGE, int, V, 0, __BPFLUA_NO_PREALLOC)            \
	__BPFLUA_DEF_TASK_STORAGE(NAME)                                                            \
	__BPFLUA_ONE_TABLE(task_storage, NAME, __BPFLUA_TASK_STORAGE)

/* The kernel's key of cgroup storage: the cgroup and the kind of attachment. */
struct __bpflua_cgroup_storage_key {
	u64 cgroup_inode_id;
	u32 attach_type;
};
#define __BPFLUA_DEF_LOCAL_STORAGE(NAME)                                                           \
	__BPFLUA_DEF(NAME, get_local_storage, __bpflua_##NAME##_v *, (u64 __bpflua_flags),                      \
		     bpf_get_local_storage(__BPFLUA_M(NAME), __bpflua_flags))
#define __BPFLUA_LOCAL_STORAGE(DO, NAME) DO(NAME, get_local_storage)
#define __BPFLUA_CGROUP_STORAGE(KIND, TYPE, NAME, V)                                                  \
	__BPFLUA_KV_VAR(NAME, TYPE, struct __bpflua_cgroup_storage_key, V, 0, 0)                      \
	__BPFLUA_DEF_LOCAL_STORAGE(NAME)                                                           \
	__BPFLUA_ONE_TABLE(KIND, NAME, __BPFLUA_LOCAL_STORAGE)
#define BPF_CGROUP_STORAGE(NAME, V) \
	__BPFLUA_CGROUP_STORAGE(cgroup_storage, __BPFLUA_TYPE_CGROUP_STORAGE, NAME, V)
#define BPF_PERCPU_CGROUP_STORAGE(NAME, V) \
	__BPFLUA_CGROUP_STORAGE(percpu_cgroup_storage, __BPFLUA_TYPE_PERCPU_CGROUP_STORAGE, NAME, V)

#endif
