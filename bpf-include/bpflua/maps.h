/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The map macros. BPF_HASH(last, u32) makes three things: the map itself, a variable __bpflua_map_last whose symbol and
 * whose name in BTF are "last"; one inline function for each method; and a constant table of them under the user's
 * name, so that last.lookup(&key) is plain C. */
#ifndef BPFLUA_MAPS_H
#define BPFLUA_MAPS_H
#pragma clang system_header

#include "bpflua/map_methods.h"
#include "bpflua/map_calls.h"

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

/* The map variable; FIELDS are those beyond the type. */
#define __BPFLUA_VAR(NAME, TYPE, FIELDS)                                                              \
	struct {                                                                                      \
		int (*type)[TYPE];                                                                    \
		FIELDS                                                                                \
	} __bpflua_map_##NAME __asm__(#NAME) __attribute__((section(".maps"), used));
#define __BPFLUA_KV(K, V) typeof(K) *key; typeof(V) *value;
#define __BPFLUA_MAX(MAX) int (*max_entries)[MAX];
#define __BPFLUA_FLAGS(FLAGS) int (*map_flags)[FLAGS];
#define __BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS) \
	__BPFLUA_VAR(NAME, TYPE, __BPFLUA_KV(K, V) __BPFLUA_MAX(MAX) __BPFLUA_FLAGS(FLAGS))

/* Maps with keys and values. CREATES says whether increment may add a key, ATOMIC names the function that adds: in a
 * per-CPU map nobody else writes, except for a program that interrupts this one, which atomic_increment heeds. */
#define __BPFLUA_DEF_KEYED(NAME, K, V, ADD, CREATES)                                                  \
	__BPFLUA_DEF_LOOKUP(NAME, K, V)                                                               \
	__BPFLUA_DEF_LOOKUP_OR_TRY_INIT(NAME, K, V)                                                   \
	__BPFLUA_DEF_UPDATE(NAME, K, V)                                                               \
	__BPFLUA_DEF_INSERT(NAME, K, V)                                                               \
	__BPFLUA_DEF_DELETE(NAME, K)                                                                  \
	__BPFLUA_DEF_INCREMENT(NAME, K, V, increment, ADD, CREATES)

/* lookup_or_init is bcc's older form. It returned from the calling function when there was no room; this one returns
 * NULL, as lookup_or_try_init does. */
#define __BPFLUA_KEYED(DO, AS, COUNT, NAME, V, ATOMIC)                                                \
	DO(NAME, lookup)                                                                              \
	DO(NAME, lookup_or_try_init)                                                                  \
	AS(NAME, lookup_or_init, lookup_or_try_init)                                                  \
	DO(NAME, update)                                                                              \
	DO(NAME, insert)                                                                              \
	DO(NAME, delete)                                                                              \
	__BPFLUA_COUNTS(COUNT, NAME, V, increment, increment)                                         \
	__BPFLUA_COUNTS(COUNT, NAME, V, atomic_increment, ATOMIC)
#define __BPFLUA_KEYED_TABLE(KIND, NAME, V, ATOMIC)                                                   \
	__BPFLUA_TABLE(KIND, NAME,                                                                    \
		       __BPFLUA_KEYED(__BPFLUA_HAS, __BPFLUA_AS, __BPFLUA_HAS_COUNT, NAME, V, ATOMIC), \
		       __BPFLUA_KEYED(__BPFLUA_SET, __BPFLUA_IS, __BPFLUA_SET_COUNT, NAME, V, ATOMIC))

#define __BPFLUA_KEYED_MAP(KIND, TYPE, NAME, K, V, MAX, FLAGS, CREATES)                               \
	__BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS)                                                 \
	__BPFLUA_DEF_KEYED(NAME, K, V, __bpflua_add, CREATES)                                         \
	__BPFLUA_KEYED_TABLE(KIND, NAME, V, increment)
#define __BPFLUA_PERCPU_MAP(KIND, TYPE, NAME, K, V, MAX, FLAGS, CREATES)                              \
	__BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS)                                                 \
	__BPFLUA_DEF_KEYED(NAME, K, V, __bpflua_add_here, CREATES)                                    \
	__BPFLUA_DEF_INCREMENT(NAME, K, V, atomic_increment, __bpflua_add, CREATES)                   \
	__BPFLUA_KEYED_TABLE(KIND, NAME, V, atomic_increment)

/* BPF_HASH(name[, key = u64[, leaf = u64[, size = 10240]]]) and its relatives. */
#define BPF_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_HASH1(NAME) __BPFLUA_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_HASH2(NAME, K) __BPFLUA_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_HASH3(NAME, K, V) __BPFLUA_HASH4(NAME, K, V, 10240)
#define __BPFLUA_HASH4(NAME, K, V, MAX) \
	__BPFLUA_KEYED_MAP(hash, __BPFLUA_TYPE_HASH, NAME, K, V, MAX, 0, 1)

#define BPF_PERCPU_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_PERCPU_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_PERCPU_HASH1(NAME) __BPFLUA_PERCPU_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_PERCPU_HASH2(NAME, K) __BPFLUA_PERCPU_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_PERCPU_HASH3(NAME, K, V) __BPFLUA_PERCPU_HASH4(NAME, K, V, 10240)
#define __BPFLUA_PERCPU_HASH4(NAME, K, V, MAX) \
	__BPFLUA_PERCPU_MAP(percpu_hash, __BPFLUA_TYPE_PERCPU_HASH, NAME, K, V, MAX, 0, 1)

#define BPF_LRU_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_LRU_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_LRU_HASH1(NAME) __BPFLUA_LRU_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_LRU_HASH2(NAME, K) __BPFLUA_LRU_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_LRU_HASH3(NAME, K, V) __BPFLUA_LRU_HASH4(NAME, K, V, 10240)
#define __BPFLUA_LRU_HASH4(NAME, K, V, MAX) \
	__BPFLUA_KEYED_MAP(lru_hash, __BPFLUA_TYPE_LRU_HASH, NAME, K, V, MAX, 0, 1)

#define BPF_LRU_PERCPU_HASH(...) __BPFLUA_BY_COUNT(__BPFLUA_LRU_PERCPU_HASH, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_LRU_PERCPU_HASH1(NAME) __BPFLUA_LRU_PERCPU_HASH4(NAME, u64, u64, 10240)
#define __BPFLUA_LRU_PERCPU_HASH2(NAME, K) __BPFLUA_LRU_PERCPU_HASH4(NAME, K, u64, 10240)
#define __BPFLUA_LRU_PERCPU_HASH3(NAME, K, V) __BPFLUA_LRU_PERCPU_HASH4(NAME, K, V, 10240)
#define __BPFLUA_LRU_PERCPU_HASH4(NAME, K, V, MAX) \
	__BPFLUA_PERCPU_MAP(lru_percpu_hash, __BPFLUA_TYPE_LRU_PERCPU_HASH, NAME, K, V, MAX, 0, 1)

#define BPF_LPM_TRIE(...) __BPFLUA_BY_COUNT(__BPFLUA_LPM_TRIE, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_LPM_TRIE1(NAME) __BPFLUA_LPM_TRIE4(NAME, u64, u64, 10240)
#define __BPFLUA_LPM_TRIE2(NAME, K) __BPFLUA_LPM_TRIE4(NAME, K, u64, 10240)
#define __BPFLUA_LPM_TRIE3(NAME, K, V) __BPFLUA_LPM_TRIE4(NAME, K, V, 10240)
#define __BPFLUA_LPM_TRIE4(NAME, K, V, MAX) \
	__BPFLUA_KEYED_MAP(lpm_trie, __BPFLUA_TYPE_LPM_TRIE, NAME, K, V, MAX, __BPFLUA_NO_PREALLOC, 0)

/* Arrays: BPF_ARRAY(name[, leaf = u64[, size = 10240]]), keys are int. */
#define BPF_ARRAY(...) __BPFLUA_BY_COUNT(__BPFLUA_ARRAY, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_ARRAY1(NAME) __BPFLUA_ARRAY3(NAME, u64, 10240)
#define __BPFLUA_ARRAY2(NAME, V) __BPFLUA_ARRAY3(NAME, V, 10240)
#define __BPFLUA_ARRAY3(NAME, V, MAX) \
	__BPFLUA_KEYED_MAP(array, __BPFLUA_TYPE_ARRAY, NAME, int, V, MAX, 0, 0)

#define BPF_PERCPU_ARRAY(...) __BPFLUA_BY_COUNT(__BPFLUA_PERCPU_ARRAY, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_PERCPU_ARRAY1(NAME) __BPFLUA_PERCPU_ARRAY3(NAME, u64, 10240)
#define __BPFLUA_PERCPU_ARRAY2(NAME, V) __BPFLUA_PERCPU_ARRAY3(NAME, V, 10240)
#define __BPFLUA_PERCPU_ARRAY3(NAME, V, MAX) \
	__BPFLUA_PERCPU_MAP(percpu_array, __BPFLUA_TYPE_PERCPU_ARRAY, NAME, int, V, MAX, 0, 0)

/* BPF_HISTOGRAM(name[, key = int[, size = 64]]): an array when the key is exactly int, a hash otherwise. */
#define BPF_HISTOGRAM(...) __BPFLUA_BY_COUNT(__BPFLUA_HISTOGRAM, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_HISTOGRAM1(NAME) __BPFLUA_HISTOGRAM3(NAME, int, 64)
#define __BPFLUA_HISTOGRAM2(NAME, K) __BPFLUA_HISTOGRAM3(NAME, K, 64)
#define __BPFLUA_IS_INT(K) __builtin_types_compatible_p(typeof(K), int)
#define __BPFLUA_HISTOGRAM3(NAME, K, MAX)                                                             \
	__BPFLUA_KEYED_MAP(histogram, __BPFLUA_IS_INT(K) ? __BPFLUA_TYPE_ARRAY : __BPFLUA_TYPE_HASH,  \
			   NAME, K, u64, MAX, 0, !__BPFLUA_IS_INT(K))

/* Stack traces: the kernel wants a power of two. */
#define __BPFLUA_POWER_OF_TWO(n) ((n) < 2 ? 1U : 1U << (32 - __builtin_clz((unsigned int)(n) - 1 | 1)))
struct bpf_stacktrace {
	u64 ip[127];
};
struct bpf_stacktrace_buildid {
	struct {
		u32 status;
		u8 build_id[20];
		union {
			u64 offset;
			u64 ip;
		};
	} trace[127];
};
#define __BPFLUA_STACK_MAP(KIND, NAME, V, MAX, FLAGS)                                                 \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_STACK_TRACE, int, V, __BPFLUA_POWER_OF_TWO(MAX), FLAGS)   \
	__BPFLUA_DEF_GET_STACKID(NAME)                                                                \
	__BPFLUA_TABLE(KIND, NAME, __BPFLUA_HAS(NAME, get_stackid), __BPFLUA_SET(NAME, get_stackid))
#define BPF_STACK_TRACE(NAME, MAX) __BPFLUA_STACK_MAP(stack_trace, NAME, struct bpf_stacktrace, MAX, 0)
#define BPF_STACK_TRACE_BUILDID(NAME, MAX) \
	__BPFLUA_STACK_MAP(stack_trace, NAME, struct bpf_stacktrace_buildid, MAX, 1 << 5)

/* Output. A perf buffer without max_entries gets one entry per possible CPU from libbpf. */
#define __BPFLUA_PERF_OUTPUT(DO, NAME) DO(NAME, perf_submit) DO(NAME, perf_submit_skb)
#define BPF_PERF_OUTPUT(NAME)                                                                         \
	__BPFLUA_VAR(NAME, __BPFLUA_TYPE_PERF_EVENT_ARRAY, __BPFLUA_KV(int, u32))                     \
	__BPFLUA_DEF_PERF_SUBMIT(NAME)                                                                \
	__BPFLUA_TABLE(perf_output, NAME, __BPFLUA_PERF_OUTPUT(__BPFLUA_HAS, NAME),                   \
		       __BPFLUA_PERF_OUTPUT(__BPFLUA_SET, NAME))

#define __BPFLUA_RINGBUF(DO, NAME)                                                                    \
	DO(NAME, ringbuf_output)                                                                      \
	DO(NAME, ringbuf_reserve)                                                                     \
	DO(NAME, ringbuf_submit)                                                                      \
	DO(NAME, ringbuf_discard)                                                                     \
	DO(NAME, ringbuf_query)
#define BPF_RINGBUF_OUTPUT(NAME, PAGES)                                                               \
	__BPFLUA_VAR(NAME, __BPFLUA_TYPE_RINGBUF, __BPFLUA_MAX((PAGES) * __BPFLUA_PAGE_SIZE))         \
	__BPFLUA_DEF_RINGBUF(NAME)                                                                    \
	__BPFLUA_TABLE(ringbuf, NAME, __BPFLUA_RINGBUF(__BPFLUA_HAS, NAME),                           \
		       __BPFLUA_RINGBUF(__BPFLUA_SET, NAME))

#include "bpflua/map_notes.h"
#include "bpflua/map_special.h"
#include "bpflua/map_table.h"

#endif
