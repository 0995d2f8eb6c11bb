/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* BPF_TABLE and its relatives name the map's type by a string. The compiler evaluates the comparisons, so the type is a
 * constant; the table has every method there is, and those that the type lacks are of a type that says so, as in "called
 * object type 'struct bpflua_no_get_stackid_in_counts *(*)[1]' is not a function": no get_stackid in counts, which is of
 * type 1, a hash. */
#ifndef BPFLUA_MAP_TABLE_H
#define BPFLUA_MAP_TABLE_H
#pragma clang system_header

#define __BPFLUA_SAME(a, b) (!__builtin_strcmp(a, b))
#define __BPFLUA_STARTS(a, b) (!__builtin_strncmp(a, b, sizeof(b) - 1))
#define __BPFLUA_TYPE_NUMBER(T, K)                                                                    \
	(__BPFLUA_SAME(T, "hash") ? __BPFLUA_TYPE_HASH :                                              \
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
	 __BPFLUA_SAME(T, "extern") ? __BPFLUA_TYPE_EXTERN :                                          \
	 __BPFLUA_STARTS(T, "array_of_maps$") ? __BPFLUA_TYPE_ARRAY_OF_MAPS :                         \
	 __BPFLUA_STARTS(T, "hash_of_maps$") ? __BPFLUA_TYPE_HASH_OF_MAPS : 0)

/* The type of a map that another object made public is known when it is found: it has every method until the verifier
 * says otherwise. To libbpf it is a hash until then. */
#define __BPFLUA_TYPE_EXTERN 31

/* Sets of types, one bit each. */
#define __BPFLUA_T(TYPE) (1U << __BPFLUA_TYPE_##TYPE)
enum {
	__BPFLUA_T_EXTERN = __BPFLUA_T(EXTERN),
	__BPFLUA_T_PERCPU = __BPFLUA_T(PERCPU_HASH) | __BPFLUA_T(PERCPU_ARRAY) | __BPFLUA_T(LRU_PERCPU_HASH),
	__BPFLUA_T_CREATES = __BPFLUA_T(HASH) | __BPFLUA_T(LRU_HASH) | __BPFLUA_T(PERCPU_HASH) |
			     __BPFLUA_T(LRU_PERCPU_HASH) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_KEYED = __BPFLUA_T_CREATES | __BPFLUA_T_PERCPU | __BPFLUA_T(ARRAY) | __BPFLUA_T(LPM_TRIE),
	/* The kernel takes these with that flag only. */
	__BPFLUA_T_NO_PREALLOC = __BPFLUA_T(LPM_TRIE) | __BPFLUA_T(SK_STORAGE) | __BPFLUA_T(INODE_STORAGE) |
				 __BPFLUA_T(TASK_STORAGE),
	__BPFLUA_T_OF_MAPS = __BPFLUA_T(ARRAY_OF_MAPS) | __BPFLUA_T(HASH_OF_MAPS),
	__BPFLUA_T_UPDATE = __BPFLUA_T_KEYED | __BPFLUA_T(SOCKMAP) | __BPFLUA_T(SOCKHASH),
	__BPFLUA_T_LOOKUP = __BPFLUA_T_UPDATE | __BPFLUA_T_OF_MAPS | __BPFLUA_T(DEVMAP) | __BPFLUA_T(XSKMAP),
	__BPFLUA_T_REDIRECT = __BPFLUA_T(DEVMAP) | __BPFLUA_T(CPUMAP) | __BPFLUA_T(XSKMAP) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_STACKS = __BPFLUA_T(STACK_TRACE) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_PERF = __BPFLUA_T(PERF_EVENT_ARRAY) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_PROGS = __BPFLUA_T(PROG_ARRAY) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_CGROUPS = __BPFLUA_T(CGROUP_ARRAY) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_SOCKMAP = __BPFLUA_T(SOCKMAP) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_SOCKHASH = __BPFLUA_T(SOCKHASH) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_SK = __BPFLUA_T(SK_STORAGE) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_INODE = __BPFLUA_T(INODE_STORAGE) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_TASK = __BPFLUA_T(TASK_STORAGE) | __BPFLUA_T_EXTERN,
	__BPFLUA_T_LOCAL = __BPFLUA_T(CGROUP_STORAGE) | __BPFLUA_T(PERCPU_CGROUP_STORAGE) | __BPFLUA_T_EXTERN,
};

#define __BPFLUA_T_HAS(NAME, SET, METHOD)                                                             \
	typeof(__builtin_choose_expr(__BPFLUA_T_##SET >> __bpflua_##NAME##_type & 1,                  \
				     &__bpflua_##NAME##_##METHOD,                                     \
				     (struct bpflua_no_##METHOD##_in_##NAME *(*)[__bpflua_##NAME##_type])0)) METHOD;
#define __BPFLUA_T_SET(NAME, SET, METHOD) \
	.METHOD = (void *)(__BPFLUA_T_##SET >> __bpflua_##NAME##_type & 1 ? &__bpflua_##NAME##_##METHOD : 0),

/* What no map has that has keys. */
#define __BPFLUA_T_LACKS(NAME, METHOD) struct bpflua_no_##METHOD##_in_##NAME *(*METHOD)[__bpflua_##NAME##_type];
#define __BPFLUA_T_KEYLESS(NAME) __BPFLUA_RINGBUF(__BPFLUA_T_LACKS, NAME) __BPFLUA_QUEUE(__BPFLUA_T_LACKS, NAME)

#define __BPFLUA_T_METHODS(DO, NAME)                                                                  \
	DO(NAME, LOOKUP, lookup)                                                                      \
	DO(NAME, KEYED, lookup_or_try_init)                                                           \
	DO(NAME, KEYED, lookup_or_init)                                                               \
	DO(NAME, UPDATE, update)                                                                      \
	DO(NAME, UPDATE, insert)                                                                      \
	DO(NAME, UPDATE, delete)                                                                      \
	DO(NAME, STACKS, get_stackid)                                                                 \
	DO(NAME, PERF, perf_submit)                                                                   \
	DO(NAME, PERF, perf_submit_skb)                                                               \
	DO(NAME, PERF, perf_read)                                                                     \
	DO(NAME, PERF, perf_counter_value)                                                            \
	DO(NAME, PROGS, call)                                                                         \
	DO(NAME, CGROUPS, check_current_task)                                                         \
	DO(NAME, REDIRECT, redirect_map)                                                              \
	DO(NAME, SOCKHASH, sock_hash_update)                                                          \
	DO(NAME, SOCKHASH, msg_redirect_hash)                                                         \
	DO(NAME, SOCKHASH, sk_redirect_hash)                                                          \
	DO(NAME, SOCKMAP, sock_map_update)                                                            \
	DO(NAME, SOCKMAP, msg_redirect_map)                                                           \
	DO(NAME, SOCKMAP, sk_redirect_map)                                                            \
	DO(NAME, SK, sk_storage_get)                                                                  \
	DO(NAME, SK, sk_storage_delete)                                                               \
	DO(NAME, INODE, inode_storage_get)                                                            \
	DO(NAME, INODE, inode_storage_delete)                                                         \
	DO(NAME, TASK, task_storage_get)                                                              \
	DO(NAME, TASK, task_storage_delete)                                                           \
	DO(NAME, LOCAL, get_local_storage)

/* In a per-CPU map, increment needs no atomic instruction; an inner map is not of the outer map's leaf type. A map that
 * is not keyed has no increment whatever its leaf: its leaf is taken to be a structure. */
#define __BPFLUA_ANY_TABLE(NAME, K, V, TYPE, MAX, FLAGS)                                              \
	enum {                                                                                        \
		__bpflua_##NAME##_type = TYPE,                                                        \
		__bpflua_##NAME##_keyed = __BPFLUA_T_KEYED >> __bpflua_##NAME##_type & 1,             \
		__bpflua_##NAME##_missing = __BPFLUA_T_CREATES >> __bpflua_##NAME##_type & 1 ? __BPFLUA_CREATES : \
			__bpflua_##NAME##_type == __BPFLUA_TYPE_LPM_TRIE ? __BPFLUA_PASSES : __BPFLUA_LOSES, \
	};                                                                                            \
	__BPFLUA_KV_VAR(NAME, (__bpflua_##NAME##_type == __BPFLUA_TYPE_EXTERN ? __BPFLUA_TYPE_HASH :  \
				       (int)__bpflua_##NAME##_type), K,                               \
			typeof(*__builtin_choose_expr(__BPFLUA_T_OF_MAPS >> __bpflua_##NAME##_type & 1, \
						      (u32 *)0, (typeof(V) *)0)), MAX,                \
			(FLAGS) | (__BPFLUA_T_NO_PREALLOC >> __bpflua_##NAME##_type & 1 ? __BPFLUA_NO_PREALLOC : 0)) \
	__BPFLUA_DEF_KEYED(NAME)                                                                      \
	__BPFLUA_FN __bpflua_##NAME##_v *__bpflua_##NAME##_lookup_or_init(                            \
		const __bpflua_##NAME##_k *__bpflua_k, const __bpflua_##NAME##_v *__bpflua_v)         \
	{                                                                                             \
		return __bpflua_lookup_or_try_init(&__bpflua_map_##NAME, __bpflua_k, __bpflua_v,      \
						   &__bpflua_lost_##NAME);                            \
	}                                                                                             \
	__BPFLUA_DEF_COUNT(NAME, increment,                                                     \
			   (__BPFLUA_T_PERCPU >> __bpflua_##NAME##_type & 1 ? __bpflua_add_here : __bpflua_add), \
			   __bpflua_##NAME##_missing)                                                 \
	__BPFLUA_DEF_COUNT(NAME, atomic_increment, __bpflua_add,                                \
			   __bpflua_##NAME##_missing)                                                 \
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
	__BPFLUA_COUNT_TYPES(NAME, __bpflua_##NAME##_keyed && __BPFLUA_IS_NUMBER(__bpflua_##NAME##_v), \
			     __builtin_choose_expr(__bpflua_##NAME##_keyed,                           \
						   (struct bpflua_leaf_of_##NAME##_is_no_integer *)0, \
						   (struct bpflua_no_increment_in_##NAME *(*)[__bpflua_##NAME##_type])0)) \
	__BPFLUA_TABLE(table, NAME) { __BPFLUA_T_METHODS(__BPFLUA_T_HAS, NAME)                        \
				      __BPFLUA_T_KEYLESS(NAME) __BPFLUA_COUNT_MEMBERS(NAME) }         \
	__BPFLUA_TABLE_AS(NAME) { __BPFLUA_T_METHODS(__BPFLUA_T_SET, NAME)                            \
				  __BPFLUA_COUNT_VALUES(NAME, atomic_increment) }

/* What a type string may be. The messages name it, and compiler/explain/maps.rs knows their beginnings. */
#define __BPFLUA_CHECK_TYPE(T, K, V)                                                                  \
	_Static_assert(__BPFLUA_TYPE_NUMBER(T, K) != 0, "BPF_TABLE knows no type \"" T "\"");               \
	_Static_assert(!__BPFLUA_SAME(T, "histogram") || (__BPFLUA_IS_NUMBER(V) && sizeof(V) == 8),   \
		       "a histogram counts in u64: that must be its leaf");

/* The notes say which type was asked for, for "extern" and for maps of maps, and what else. */
#define BPF_F_TABLE(T, K, V, NAME, MAX, FLAGS)                                                        \
	__BPFLUA_CHECK_TYPE(T, K, V)                                                                  \
	__BPFLUA_NOTE(NAME, "type=" T)                                                                \
	__BPFLUA_ANY_TABLE(NAME, K, V, __BPFLUA_TYPE_NUMBER(T, K), MAX, FLAGS)
#define BPF_TABLE(T, K, V, NAME, MAX) BPF_F_TABLE(T, K, V, NAME, MAX, 0)

#define __BPFLUA_NOTED_TABLE(NOTE, T, K, V, NAME, MAX, FLAGS)                                         \
	__BPFLUA_CHECK_TYPE(T, K, V)                                                                  \
	__BPFLUA_NOTE(NAME, "type=" T "\0" #NAME "\0" NOTE)                                           \
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
