/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* BPF_TABLE and its relatives name the map's type by a string. The compiler evaluates the comparisons, so the type is a
 * constant; the table has every method there is, and those that the type lacks are pointers to a structure whose name
 * says what the map is not, as in "called object type 'struct bpflua_counts_is_no_stack_trace_map *' is not a function". */
#ifndef BPFLUA_MAP_TABLE_H
#define BPFLUA_MAP_TABLE_H
#pragma clang system_header

#define __BPFLUA_SAME(a, b) (!__builtin_strcmp(a, b))
#define __BPFLUA_STARTS(a, b) (!__builtin_strncmp(a, b, sizeof(b) - 1))
#define __BPFLUA_TYPE_NUMBER(T, K)                                                                    \
	(__BPFLUA_SAME(T, "hash") || __BPFLUA_SAME(T, "extern") ? __BPFLUA_TYPE_HASH :                \
	 __BPFLUA_SAME(T, "array") ? __BPFLUA_TYPE_ARRAY :                                            \
	 __BPFLUA_SAME(T, "histogram") ? (__BPFLUA_IS_INT(K) ? __BPFLUA_TYPE_ARRAY : __BPFLUA_TYPE_HASH) : \
	 __BPFLUA_SAME(T, "percpu_hash") ? __BPFLUA_TYPE_PERCPU_HASH :                                \
	 __BPFLUA_SAME(T, "percpu_array") ? __BPFLUA_TYPE_PERCPU_ARRAY :                              \
	 __BPFLUA_SAME(T, "lru_hash") ? __BPFLUA_TYPE_LRU_HASH :                                      \
	 __BPFLUA_SAME(T, "lru_percpu_hash") ? __BPFLUA_TYPE_LRU_PERCPU_HASH :                        \
	 __BPFLUA_SAME(T, "lpm_trie") ? __BPFLUA_TYPE_LPM_TRIE :                                      \
	 __BPFLUA_SAME(T, "prog") ? __BPFLUA_TYPE_PROG_ARRAY :                                        \
	 __BPFLUA_SAME(T, "stacktrace") ? __BPFLUA_TYPE_STACK_TRACE :                                 \
	 __BPFLUA_SAME(T, "perf_output") || __BPFLUA_SAME(T, "perf_array") ? __BPFLUA_TYPE_PERF_EVENT_ARRAY : \
	 __BPFLUA_SAME(T, "cgroup_array") ? __BPFLUA_TYPE_CGROUP_ARRAY :                              \
	 __BPFLUA_SAME(T, "devmap") ? __BPFLUA_TYPE_DEVMAP :                                          \
	 __BPFLUA_SAME(T, "cpumap") ? __BPFLUA_TYPE_CPUMAP :                                          \
	 __BPFLUA_SAME(T, "xskmap") ? __BPFLUA_TYPE_XSKMAP :                                          \
	 __BPFLUA_SAME(T, "sockmap") ? __BPFLUA_TYPE_SOCKMAP :                                        \
	 __BPFLUA_SAME(T, "sockhash") ? __BPFLUA_TYPE_SOCKHASH :                                      \
	 __BPFLUA_SAME(T, "sk_storage") ? __BPFLUA_TYPE_SK_STORAGE :                                  \
	 __BPFLUA_SAME(T, "inode_storage") ? __BPFLUA_TYPE_INODE_STORAGE :                            \
	 __BPFLUA_SAME(T, "task_storage") ? __BPFLUA_TYPE_TASK_STORAGE :                              \
	 __BPFLUA_SAME(T, "cgroup_storage") ? __BPFLUA_TYPE_CGROUP_STORAGE :                          \
	 __BPFLUA_SAME(T, "percpu_cgroup_storage") ? __BPFLUA_TYPE_PERCPU_CGROUP_STORAGE :            \
	 __BPFLUA_STARTS(T, "array_of_maps$") ? __BPFLUA_TYPE_ARRAY_OF_MAPS :                         \
	 __BPFLUA_STARTS(T, "hash_of_maps$") ? __BPFLUA_TYPE_HASH_OF_MAPS : 0)

/* Sets of types, one bit each. */
#define __BPFLUA_T(TYPE) (1U << __BPFLUA_TYPE_##TYPE)
enum {
	__BPFLUA_T_PERCPU = __BPFLUA_T(PERCPU_HASH) | __BPFLUA_T(PERCPU_ARRAY) | __BPFLUA_T(LRU_PERCPU_HASH),
	__BPFLUA_T_CREATES = __BPFLUA_T(HASH) | __BPFLUA_T(LRU_HASH) | __BPFLUA_T(PERCPU_HASH) |
			     __BPFLUA_T(LRU_PERCPU_HASH),
	__BPFLUA_T_KEYED = __BPFLUA_T_CREATES | __BPFLUA_T_PERCPU | __BPFLUA_T(ARRAY) | __BPFLUA_T(LPM_TRIE),
	__BPFLUA_T_OF_MAPS = __BPFLUA_T(ARRAY_OF_MAPS) | __BPFLUA_T(HASH_OF_MAPS),
	__BPFLUA_T_UPDATE = __BPFLUA_T_KEYED | __BPFLUA_T(SOCKMAP) | __BPFLUA_T(SOCKHASH),
	__BPFLUA_T_LOOKUP = __BPFLUA_T_UPDATE | __BPFLUA_T_OF_MAPS | __BPFLUA_T(DEVMAP) | __BPFLUA_T(XSKMAP),
	__BPFLUA_T_REDIRECT = __BPFLUA_T(DEVMAP) | __BPFLUA_T(CPUMAP) | __BPFLUA_T(XSKMAP),
	__BPFLUA_T_STACKS = __BPFLUA_T(STACK_TRACE),
	__BPFLUA_T_PERF = __BPFLUA_T(PERF_EVENT_ARRAY),
	__BPFLUA_T_PROGS = __BPFLUA_T(PROG_ARRAY),
	__BPFLUA_T_CGROUPS = __BPFLUA_T(CGROUP_ARRAY),
	__BPFLUA_T_SOCKMAP = __BPFLUA_T(SOCKMAP),
	__BPFLUA_T_SOCKHASH = __BPFLUA_T(SOCKHASH),
	__BPFLUA_T_SK = __BPFLUA_T(SK_STORAGE),
	__BPFLUA_T_INODE = __BPFLUA_T(INODE_STORAGE),
	__BPFLUA_T_TASK = __BPFLUA_T(TASK_STORAGE),
	__BPFLUA_T_LOCAL = __BPFLUA_T(CGROUP_STORAGE) | __BPFLUA_T(PERCPU_CGROUP_STORAGE),
};

#define __BPFLUA_T_HAS(NAME, SET, WHAT, METHOD)                                                       \
	typeof(__builtin_choose_expr(__BPFLUA_T_##SET >> __bpflua_##NAME##_type & 1,                  \
				     &__bpflua_##NAME##_##METHOD, (struct bpflua_##NAME##_is_no_##WHAT *)0)) METHOD;
#define __BPFLUA_T_SET(NAME, SET, WHAT, METHOD) \
	.METHOD = (void *)(__BPFLUA_T_##SET >> __bpflua_##NAME##_type & 1 ? &__bpflua_##NAME##_##METHOD : 0),

#define __BPFLUA_T_METHODS(DO, NAME)                                                                  \
	DO(NAME, LOOKUP, map_with_lookup, lookup)                                                     \
	DO(NAME, KEYED, keyed_map, lookup_or_try_init)                                                \
	DO(NAME, KEYED, keyed_map, lookup_or_init)                                                    \
	DO(NAME, UPDATE, map_with_update, update)                                                     \
	DO(NAME, UPDATE, map_with_update, insert)                                                     \
	DO(NAME, UPDATE, map_with_update, delete)                                                     \
	DO(NAME, STACKS, stack_trace_map, get_stackid)                                                \
	DO(NAME, PERF, perf_map, perf_submit)                                                         \
	DO(NAME, PERF, perf_map, perf_submit_skb)                                                     \
	DO(NAME, PERF, perf_map, perf_read)                                                           \
	DO(NAME, PERF, perf_map, perf_counter_value)                                                  \
	DO(NAME, PROGS, prog_array, call)                                                             \
	DO(NAME, CGROUPS, cgroup_array, check_current_task)                                           \
	DO(NAME, REDIRECT, redirect_map, redirect_map)                                                \
	DO(NAME, SOCKHASH, sockhash, sock_hash_update)                                                \
	DO(NAME, SOCKHASH, sockhash, msg_redirect_hash)                                               \
	DO(NAME, SOCKHASH, sockhash, sk_redirect_hash)                                                \
	DO(NAME, SOCKMAP, sockmap, sock_map_update)                                                   \
	DO(NAME, SOCKMAP, sockmap, msg_redirect_map)                                                  \
	DO(NAME, SOCKMAP, sockmap, sk_redirect_map)                                                   \
	DO(NAME, SK, sk_storage, sk_storage_get)                                                      \
	DO(NAME, SK, sk_storage, sk_storage_delete)                                                   \
	DO(NAME, INODE, inode_storage, inode_storage_get)                                             \
	DO(NAME, INODE, inode_storage, inode_storage_delete)                                          \
	DO(NAME, TASK, task_storage, task_storage_get)                                                \
	DO(NAME, TASK, task_storage, task_storage_delete)                                             \
	DO(NAME, LOCAL, cgroup_storage, get_local_storage)

/* In a per-CPU map, increment needs no atomic instruction; an inner map is not of the outer map's leaf type. A map that
 * is not keyed has no increment whatever its leaf: its leaf is taken to be a structure. */
#define __BPFLUA_ANY_TABLE(NAME, K, V, TYPE, MAX, FLAGS)                                              \
	enum { __bpflua_##NAME##_type = TYPE };                                                       \
	_Static_assert(__bpflua_##NAME##_type,                                                        \
		       "BPF_TABLE knows no such type of map; for a queue, a stack or a ring buffer use BPF_QUEUE, " \
		       "BPF_STACK or BPF_RINGBUF_OUTPUT");                                            \
	__BPFLUA_KV_VAR(NAME, __bpflua_##NAME##_type, K,                                              \
			typeof(*__builtin_choose_expr(__BPFLUA_T_OF_MAPS >> __bpflua_##NAME##_type & 1, \
						      (u32 *)0, (typeof(V) *)0)), MAX, FLAGS)         \
	__BPFLUA_DEF_KEYED(NAME)                                                                      \
	__BPFLUA_FN __bpflua_##NAME##_v *__bpflua_##NAME##_lookup_or_init(                            \
		const __bpflua_##NAME##_k *__bpflua_k, const __bpflua_##NAME##_v *__bpflua_v)         \
	{                                                                                             \
		return __bpflua_lookup_or_try_init(&__bpflua_map_##NAME, __bpflua_k, __bpflua_v);     \
	}                                                                                             \
	__BPFLUA_DEF_COUNT(NAME, increment,                                                     \
			   (__BPFLUA_T_PERCPU >> __bpflua_##NAME##_type & 1 ? __bpflua_add_here : __bpflua_add), \
			   __BPFLUA_T_CREATES >> __bpflua_##NAME##_type & 1)                          \
	__BPFLUA_DEF_COUNT(NAME, atomic_increment, __bpflua_add,                                \
			   __BPFLUA_T_CREATES >> __bpflua_##NAME##_type & 1)                          \
	__BPFLUA_DEF_GET_STACKID(NAME)                                                                \
	__BPFLUA_DEF_PERF_SUBMIT(NAME)                                                                \
	__BPFLUA_DEF_PERF_READ(NAME)                                                                  \
	__BPFLUA_DEF_CALL(NAME)                                                                       \
	__BPFLUA_DEF_CHECK_TASK(NAME)                                                                 \
	__BPFLUA_DEF_REDIRECT(NAME)                                                                   \
	__BPFLUA_DEF_SOCKHASH(NAME)                                                                \
	__BPFLUA_DEF_SOCKMAP(NAME)                                                                 \
	__BPFLUA_DEF_SK_STORAGE(NAME)                                                              \
	__BPFLUA_DEF_INODE_STORAGE(NAME)                                                           \
	__BPFLUA_DEF_TASK_STORAGE(NAME)                                                            \
	__BPFLUA_DEF_LOCAL_STORAGE(NAME)                                                           \
	__BPFLUA_COUNT_TYPES(NAME, typeof(*__builtin_choose_expr(                                     \
		__BPFLUA_T_KEYED >> __bpflua_##NAME##_type & 1, (__bpflua_##NAME##_v *)0, (struct bpf_stacktrace *)0))) \
	__BPFLUA_TABLE(table, NAME) { __BPFLUA_T_METHODS(__BPFLUA_T_HAS, NAME) __BPFLUA_COUNT_MEMBERS(NAME) } \
	__BPFLUA_TABLE_AS(NAME) { __BPFLUA_T_METHODS(__BPFLUA_T_SET, NAME)                            \
				  __BPFLUA_COUNT_VALUES(NAME, atomic_increment) }

/* The note says which type was asked for, for "extern" and for maps of maps. */
#define BPF_F_TABLE(T, K, V, NAME, MAX, FLAGS)                                                        \
	__BPFLUA_NOTE(NAME, "type=" T)                                                                \
	__BPFLUA_ANY_TABLE(NAME, K, V, __BPFLUA_TYPE_NUMBER(T, K), MAX, FLAGS)
#define BPF_TABLE(T, K, V, NAME, MAX) BPF_F_TABLE(T, K, V, NAME, MAX, 0)

#define __BPFLUA_NOTED_TABLE(NOTE, T, K, V, NAME, MAX, FLAGS)                                         \
	__BPFLUA_NOTE(NAME, NOTE)                                                                     \
	__BPFLUA_ANY_TABLE(NAME, K, V, __BPFLUA_TYPE_NUMBER(T, K), MAX, FLAGS)
#define BPF_TABLE_PINNED(...) __BPFLUA_BY_COUNT(__BPFLUA_PINNED, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_PINNED6(T, K, V, NAME, MAX, PATH) __BPFLUA_PINNED7(T, K, V, NAME, MAX, PATH, 0)
#define __BPFLUA_PINNED7(T, K, V, NAME, MAX, PATH, FLAGS) \
	__BPFLUA_NOTED_TABLE("pin=" PATH, T, K, V, NAME, MAX, FLAGS)
#define BPF_TABLE_PUBLIC(T, K, V, NAME, MAX) __BPFLUA_NOTED_TABLE("public", T, K, V, NAME, MAX, 0)
#define BPF_TABLE_SHARED(...) __BPFLUA_BY_COUNT(__BPFLUA_SHARED, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_SHARED5(T, K, V, NAME, MAX) __BPFLUA_SHARED6(T, K, V, NAME, MAX, 0)
#define __BPFLUA_SHARED6(T, K, V, NAME, MAX, FLAGS) \
	__BPFLUA_NOTED_TABLE("shared", T, K, V, NAME, MAX, FLAGS)

#endif
