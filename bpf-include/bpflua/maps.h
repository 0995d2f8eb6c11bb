/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The map macros. BPF_HASH(last, u32) makes three things: the map itself, a variable __bpflua_map_last whose symbol and
 * whose name in BTF are "last"; one inline function for each method; and a constant table of them under the user's
 * name, so that last.lookup(&key) is plain C. */
#ifndef BPFLUA_MAPS_H
#define BPFLUA_MAPS_H
#pragma clang system_header

#include "bpflua/map_calls.h"
#include "bpflua/map_methods.h"

/* Map types by the kernel's numbers (enum bpf_map_type), which need no BTF. */
#define __BPFLUA_TYPE_HASH 1
#define __BPFLUA_TYPE_ARRAY 2
#define __BPFLUA_TYPE_PROG_ARRAY 3
#define __BPFLUA_TYPE_PERF_EVENT_ARRAY 4
#define __BPFLUA_TYPE_PERCPU_HASH 5
#define __BPFLUA_TYPE_PERCPU_ARRAY 6
#define __BPFLUA_TYPE_STACK_TRACE 7
#define __BPFLUA_TYPE_CGROUP_ARRAY 8
#define __BPFLUA_TYPE_LRU_HASH 9
#define __BPFLUA_TYPE_LRU_PERCPU_HASH 10
#define __BPFLUA_TYPE_LPM_TRIE 11
#define __BPFLUA_TYPE_ARRAY_OF_MAPS 12
#define __BPFLUA_TYPE_HASH_OF_MAPS 13
#define __BPFLUA_TYPE_DEVMAP 14
#define __BPFLUA_TYPE_SOCKMAP 15
#define __BPFLUA_TYPE_CPUMAP 16
#define __BPFLUA_TYPE_XSKMAP 17
#define __BPFLUA_TYPE_SOCKHASH 18
#define __BPFLUA_TYPE_CGROUP_STORAGE 19
#define __BPFLUA_TYPE_PERCPU_CGROUP_STORAGE 21
#define __BPFLUA_TYPE_QUEUE 22
#define __BPFLUA_TYPE_STACK 23
#define __BPFLUA_TYPE_SK_STORAGE 24
#define __BPFLUA_TYPE_RINGBUF 27
#define __BPFLUA_TYPE_INODE_STORAGE 28
#define __BPFLUA_TYPE_TASK_STORAGE 29
#define __BPFLUA_NO_PREALLOC 1

#ifndef __BPFLUA_PAGE_SIZE
#define __BPFLUA_PAGE_SIZE 4096
#endif

/* BPF_HASH(name[, key = u64[, leaf = u64[, size = 10240]]]) and its relatives. */
#define BPF_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_HASH1(NAME) __BPFLUA_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_HASH2(NAME, K) __BPFLUA_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_HASH3(NAME, K, V) __BPFLUA_HASH4(NAME, K, V, 10240)
#define __BPFLUA_HASH4(NAME, K, V, MAX) \
	__BPFLUA_KEYED_MAP(hash, __BPFLUA_TYPE_HASH, NAME, K, V, MAX, 0, __BPFLUA_CREATES, )

#define BPF_PERCPU_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_PERCPU_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_PERCPU_HASH1(NAME) __BPFLUA_PERCPU_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_PERCPU_HASH2(NAME, K) __BPFLUA_PERCPU_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_PERCPU_HASH3(NAME, K, V) __BPFLUA_PERCPU_HASH4(NAME, K, V, 10240)
#define __BPFLUA_PERCPU_HASH4(NAME, K, V, MAX) \
	__BPFLUA_PERCPU_MAP(percpu_hash, __BPFLUA_TYPE_PERCPU_HASH, NAME, K, V, MAX, 0, __BPFLUA_CREATES, )

#define BPF_LRU_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_LRU_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_LRU_HASH1(NAME) __BPFLUA_LRU_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_LRU_HASH2(NAME, K) __BPFLUA_LRU_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_LRU_HASH3(NAME, K, V) __BPFLUA_LRU_HASH4(NAME, K, V, 10240)
#define __BPFLUA_LRU_HASH4(NAME, K, V, MAX) \
	__BPFLUA_KEYED_MAP(lru_hash, __BPFLUA_TYPE_LRU_HASH, NAME, K, V, MAX, 0, __BPFLUA_CREATES, )

#define BPF_LRU_PERCPU_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_LRU_PERCPU_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_LRU_PERCPU_HASH1(NAME) __BPFLUA_LRU_PERCPU_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_LRU_PERCPU_HASH2(NAME, K) __BPFLUA_LRU_PERCPU_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_LRU_PERCPU_HASH3(NAME, K, V) __BPFLUA_LRU_PERCPU_HASH4(NAME, K, V, 10240)
#define __BPFLUA_LRU_PERCPU_HASH4(NAME, K, V, MAX) \
	__BPFLUA_PERCPU_MAP(lru_percpu_hash, __BPFLUA_TYPE_LRU_PERCPU_HASH, NAME, K, V, MAX, 0, __BPFLUA_CREATES, )

#define BPF_LPM_TRIE(...) __BPFLUA_BY_COUNT(__BPFLUA_LPM_TRIE, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_LPM_TRIE1(NAME) __BPFLUA_LPM_TRIE4(NAME, u64, u64, 10240)
#define __BPFLUA_LPM_TRIE2(NAME, K) __BPFLUA_LPM_TRIE4(NAME, K, u64, 10240)
#define __BPFLUA_LPM_TRIE3(NAME, K, V) __BPFLUA_LPM_TRIE4(NAME, K, V, 10240)
#define __BPFLUA_LPM_TRIE4(NAME, K, V, MAX) \
	__BPFLUA_KEYED_MAP(lpm_trie, __BPFLUA_TYPE_LPM_TRIE, NAME, K, V, MAX, __BPFLUA_NO_PREALLOC, __BPFLUA_PASSES, )

/* Arrays: BPF_ARRAY(name[, leaf = u64[, size = 10240]]), keys are int. */
#define BPF_ARRAY(...) __BPFLUA_BY_COUNT(__BPFLUA_ARRAY, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_ARRAY1(NAME) __BPFLUA_ARRAY3(NAME, u64, 10240)
#define __BPFLUA_ARRAY2(NAME, V) __BPFLUA_ARRAY3(NAME, V, 10240)
#define __BPFLUA_ARRAY3(NAME, V, MAX) \
	__BPFLUA_KEYED_MAP(array, __BPFLUA_TYPE_ARRAY, NAME, int, V, MAX, 0, __BPFLUA_LOSES, __BPFLUA_IN_VAIN)

#define BPF_PERCPU_ARRAY(...) __BPFLUA_BY_COUNT(__BPFLUA_PERCPU_ARRAY, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_PERCPU_ARRAY1(NAME) __BPFLUA_PERCPU_ARRAY3(NAME, u64, 10240)
#define __BPFLUA_PERCPU_ARRAY2(NAME, V) __BPFLUA_PERCPU_ARRAY3(NAME, V, 10240)
#define __BPFLUA_PERCPU_ARRAY3(NAME, V, MAX) \
	__BPFLUA_PERCPU_MAP(percpu_array, __BPFLUA_TYPE_PERCPU_ARRAY, NAME, int, V, MAX, 0, __BPFLUA_LOSES, __BPFLUA_IN_VAIN)

/* BPF_HISTOGRAM(name[, key = int[, size = 64]]): an array when the key is exactly int, a hash otherwise. */
#define BPF_HISTOGRAM(...) __BPFLUA_BY_COUNT(__BPFLUA_HISTOGRAM, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_HISTOGRAM1(NAME) __BPFLUA_HISTOGRAM3(NAME, int, 64)
#define __BPFLUA_HISTOGRAM2(NAME, K) __BPFLUA_HISTOGRAM3(NAME, K, 64)
#define __BPFLUA_IS_INT(K) __builtin_types_compatible_p(typeof(K), int)
#define __BPFLUA_HISTOGRAM3(NAME, K, MAX)                                                             \
	__BPFLUA_NOTE(NAME, "type=histogram")                                                         \
	__BPFLUA_KEYED_MAP(histogram, __BPFLUA_IS_INT(K) ? __BPFLUA_TYPE_ARRAY : __BPFLUA_TYPE_HASH,  \
			   NAME, K, u64, MAX, 0, __BPFLUA_IS_INT(K) ? __BPFLUA_LOSES : __BPFLUA_CREATES, )

#include "bpflua/map_output.h"
#include "bpflua/map_notes.h"
#include "bpflua/map_special.h"
#include "bpflua/map_table.h"

#endif
