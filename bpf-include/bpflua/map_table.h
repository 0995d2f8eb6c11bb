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
#define __BPFLUA_T(TYPE) (1ULL << __BPFLUA_TYPE_##TYPE)
#define __BPFLUA_T_PERCPU (__BPFLUA_T(PERCPU_HASH) | __BPFLUA_T(PERCPU_ARRAY) | __BPFLUA_T(LRU_PERCPU_HASH))
#define __BPFLUA_T_CREATES \
	(__BPFLUA_T(HASH) | __BPFLUA_T(LRU_HASH) | __BPFLUA_T(PERCPU_HASH) | __BPFLUA_T(LRU_PERCPU_HASH))
#define __BPFLUA_T_KEYED (__BPFLUA_T_CREATES | __BPFLUA_T_PERCPU | __BPFLUA_T(ARRAY) | __BPFLUA_T(LPM_TRIE))
#define __BPFLUA_T_SOCK (__BPFLUA_T(SOCKMAP) | __BPFLUA_T(SOCKHASH))
#define __BPFLUA_T_OF_MAPS (__BPFLUA_T(ARRAY_OF_MAPS) | __BPFLUA_T(HASH_OF_MAPS))
#define __BPFLUA_T_UPDATE (__BPFLUA_T_KEYED | __BPFLUA_T_SOCK)
#define __BPFLUA_T_LOOKUP \
	(__BPFLUA_T_UPDATE | __BPFLUA_T_OF_MAPS | __BPFLUA_T(DEVMAP) | __BPFLUA_T(XSKMAP))
#define __BPFLUA_T_REDIRECT (__BPFLUA_T(DEVMAP) | __BPFLUA_T(CPUMAP) | __BPFLUA_T(XSKMAP))
#define __BPFLUA_T_CGROUP_STORAGE (__BPFLUA_T(CGROUP_STORAGE) | __BPFLUA_T(PERCPU_CGROUP_STORAGE))

#define __BPFLUA_IN(NAME, SET) (((SET) >> __bpflua_type_##NAME) & 1)
#define __BPFLUA_IF_IN(NAME, SET, WHAT, FN) \
	__builtin_choose_expr(__BPFLUA_IN(NAME, SET), FN, (struct bpflua_##NAME##_is_no_##WHAT *)0)
#define __BPFLUA_T_HAS(NAME, SET, WHAT, METHOD, FN) typeof(__BPFLUA_IF_IN(NAME, SET, WHAT, &__BPFLUA_F(NAME, FN))) METHOD;
#define __BPFLUA_T_SET(NAME, SET, WHAT, METHOD, FN) .METHOD = __BPFLUA_IF_IN(NAME, SET, WHAT, &__BPFLUA_F(NAME, FN)),
#define __BPFLUA_T_COUNT_IF(NAME, V, FN) \
	__BPFLUA_IF_IN(NAME, __BPFLUA_T_KEYED, keyed_map, __BPFLUA_IF_NUMBER(NAME, V, &FN))
#define __BPFLUA_T_HAS_COUNT(NAME, V, MEMBER, FN) typeof(__BPFLUA_T_COUNT_IF(NAME, V, FN)) MEMBER;
#define __BPFLUA_T_SET_COUNT(NAME, V, MEMBER, FN) .MEMBER = __BPFLUA_T_COUNT_IF(NAME, V, FN),

#define __BPFLUA_T_METHODS(DO, COUNT, NAME, V)                                                        \
	DO(NAME, __BPFLUA_T_LOOKUP, map_with_lookup, lookup, lookup)                                  \
	DO(NAME, __BPFLUA_T_KEYED, keyed_map, lookup_or_try_init, lookup_or_try_init)                 \
	DO(NAME, __BPFLUA_T_KEYED, keyed_map, lookup_or_init, lookup_or_try_init)                     \
	DO(NAME, __BPFLUA_T_UPDATE, map_with_update, update, update)                                  \
	DO(NAME, __BPFLUA_T_UPDATE, map_with_update, insert, insert)                                  \
	DO(NAME, __BPFLUA_T_UPDATE, map_with_update, delete, delete)                                  \
	__BPFLUA_COUNTS(COUNT, NAME, V, increment, increment)                                         \
	__BPFLUA_COUNTS(COUNT, NAME, V, atomic_increment, atomic_increment)                           \
	DO(NAME, __BPFLUA_T(STACK_TRACE), stack_trace_map, get_stackid, get_stackid)                  \
	DO(NAME, __BPFLUA_T(PERF_EVENT_ARRAY), perf_map, perf_submit, perf_submit)                    \
	DO(NAME, __BPFLUA_T(PERF_EVENT_ARRAY), perf_map, perf_submit_skb, perf_submit_skb)            \
	DO(NAME, __BPFLUA_T(PERF_EVENT_ARRAY), perf_map, perf_read, perf_read)                        \
	DO(NAME, __BPFLUA_T(PERF_EVENT_ARRAY), perf_map, perf_counter_value, perf_counter_value)      \
	DO(NAME, __BPFLUA_T(PROG_ARRAY), prog_array, call, call)                                      \
	DO(NAME, __BPFLUA_T(CGROUP_ARRAY), cgroup_array, check_current_task, check_current_task)      \
	DO(NAME, __BPFLUA_T_REDIRECT, redirect_map, redirect_map, redirect_map)                       \
	DO(NAME, __BPFLUA_T(SOCKHASH), sockhash, sock_hash_update, sock_hash_update)                  \
	DO(NAME, __BPFLUA_T(SOCKHASH), sockhash, msg_redirect_hash, msg_redirect_hash)                \
	DO(NAME, __BPFLUA_T(SOCKHASH), sockhash, sk_redirect_hash, sk_redirect_hash)                  \
	DO(NAME, __BPFLUA_T(SOCKMAP), sockmap, sock_map_update, sock_map_update)                      \
	DO(NAME, __BPFLUA_T(SOCKMAP), sockmap, msg_redirect_map, msg_redirect_map)                    \
	DO(NAME, __BPFLUA_T(SOCKMAP), sockmap, sk_redirect_map, sk_redirect_map)                      \
	DO(NAME, __BPFLUA_T(SK_STORAGE), sk_storage, sk_storage_get, sk_storage_get)                  \
	DO(NAME, __BPFLUA_T(SK_STORAGE), sk_storage, sk_storage_delete, sk_storage_delete)            \
	DO(NAME, __BPFLUA_T(INODE_STORAGE), inode_storage, inode_storage_get, inode_storage_get)      \
	DO(NAME, __BPFLUA_T(INODE_STORAGE), inode_storage, inode_storage_delete, inode_storage_delete) \
	DO(NAME, __BPFLUA_T(TASK_STORAGE), task_storage, task_storage_get, task_storage_get)          \
	DO(NAME, __BPFLUA_T(TASK_STORAGE), task_storage, task_storage_delete, task_storage_delete)    \
	DO(NAME, __BPFLUA_T_CGROUP_STORAGE, cgroup_storage, get_local_storage, get_local_storage)

/* In a per-CPU map, increment needs no atomic instruction; an inner map is not of the outer map's leaf type. */
#define __BPFLUA_T_ADD(NAME) \
	(__BPFLUA_IN(NAME, __BPFLUA_T_PERCPU) ? __bpflua_add_here : __bpflua_add)
#define __BPFLUA_T_FOUND(NAME, V)                                                                     \
	typeof(*__builtin_choose_expr(__BPFLUA_IN(NAME, __BPFLUA_T_OF_MAPS), (void *)0, (typeof(V) *)0))
#define __BPFLUA_T_DEFS(NAME, K, V)                                                                   \
	__BPFLUA_DEF(NAME, lookup, __BPFLUA_T_FOUND(NAME, V) *, (const typeof(K) *__bpflua_k),        \
		     bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k))                               \
	__BPFLUA_DEF_LOOKUP_OR_TRY_INIT(NAME, K, V)                                                   \
	__BPFLUA_DEF_UPDATE(NAME, K, V)                                                               \
	__BPFLUA_DEF_INSERT(NAME, K, V)                                                               \
	__BPFLUA_DEF_DELETE(NAME, K)                                                                  \
	__BPFLUA_DEF_INCREMENT(NAME, K, V, increment, __BPFLUA_T_ADD(NAME), __BPFLUA_IN(NAME, __BPFLUA_T_CREATES)) \
	__BPFLUA_DEF_INCREMENT(NAME, K, V, atomic_increment, __bpflua_add, __BPFLUA_IN(NAME, __BPFLUA_T_CREATES)) \
	__BPFLUA_DEF_GET_STACKID(NAME)                                                                \
	__BPFLUA_DEF_PERF_SUBMIT(NAME)                                                                \
	__BPFLUA_DEF_PERF_READ(NAME)                                                                  \
	__BPFLUA_DEF_CALL(NAME)                                                                       \
	__BPFLUA_DEF_CHECK_TASK(NAME)                                                                 \
	__BPFLUA_DEF_REDIRECT(NAME)                                                                   \
	__BPFLUA_DEF_SOCKHASH(NAME, K)                                                                \
	__BPFLUA_DEF_SOCKMAP(NAME, K)                                                                 \
	__BPFLUA_DEF_SK_STORAGE(NAME, V)                                                              \
	__BPFLUA_DEF_INODE_STORAGE(NAME, V)                                                           \
	__BPFLUA_DEF_TASK_STORAGE(NAME, V)                                                            \
	__BPFLUA_DEF_LOCAL_STORAGE(NAME, V)

#define __BPFLUA_ANY_TABLE(NAME, K, V, TYPE, MAX, FLAGS)                                              \
	enum { __bpflua_type_##NAME = TYPE };                                                         \
	_Static_assert(__bpflua_type_##NAME, "the map's type is none that BPF_TABLE knows; for a queue, stack or " \
					     "ring buffer use BPF_QUEUE, BPF_STACK or BPF_RINGBUF_OUTPUT"); \
	__BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS)                                                 \
	__BPFLUA_T_DEFS(NAME, K, V)                                                                   \
	__BPFLUA_TABLE(table, NAME, __BPFLUA_T_METHODS(__BPFLUA_T_HAS, __BPFLUA_T_HAS_COUNT, NAME, V), \
		       __BPFLUA_T_METHODS(__BPFLUA_T_SET, __BPFLUA_T_SET_COUNT, NAME, V))

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
