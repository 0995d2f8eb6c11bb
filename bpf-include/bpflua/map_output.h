/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Maps that carry data out: perf buffers, ring buffers, stack traces. */
#ifndef BPFLUA_MAP_OUTPUT_H
#define BPFLUA_MAP_OUTPUT_H
#pragma clang system_header

/* The last parameter of a method that submits is the variable whose type is the event's. The compiler pairs it with the
 * map by this call, and removes the call. */
#ifdef __BPFLUA_NO_EVENTS
#define __bpflua_submits(map, event) ((void)0)
#else
extern void __bpflua_submits(void *map, const void *event) __attribute__((nothrow));
#endif

#define __BPFLUA_DEF_PERF_SUBMIT(NAME)                                                                \
	__BPFLUA_FN int __bpflua_##NAME##_perf_submit(void *__bpflua_ctx, const void *__bpflua_data, \
						       u64 __bpflua_size, const void *__bpflua_event) \
	{                                                                                             \
		__bpflua_submits(&__bpflua_map_##NAME, __bpflua_event);                               \
		return bpf_perf_event_output(__bpflua_ctx, &__bpflua_map_##NAME, 0xffffffffULL,       \
					     (void *)__bpflua_data, __bpflua_size);                   \
	}                                                                                             \
	__BPFLUA_FN int __bpflua_##NAME##_perf_submit_skb(void *__bpflua_ctx, u32 __bpflua_packet_size, \
							   const void *__bpflua_data, u64 __bpflua_size, \
							   const void *__bpflua_event)                \
	{                                                                                             \
		__bpflua_submits(&__bpflua_map_##NAME, __bpflua_event);                               \
		return bpf_perf_event_output(__bpflua_ctx, &__bpflua_map_##NAME,                      \
					     (u64)__bpflua_packet_size << 32 | 0xffffffff,            \
					     (void *)__bpflua_data, __bpflua_size);                   \
	}

/* A perf buffer without max_entries gets one entry per possible CPU from libbpf. */
#define __BPFLUA_PERF_OUTPUT(DO, NAME) DO(NAME, perf_submit) DO(NAME, perf_submit_skb)
#define BPF_PERF_OUTPUT(NAME)                                                                         \
	__BPFLUA_VAR(NAME, __BPFLUA_TYPE_PERF_EVENT_ARRAY, int *key; u32 *value;)                     \
	__BPFLUA_DEF_PERF_SUBMIT(NAME)                                                                \
	__BPFLUA_ONE_TABLE(perf_output, NAME, __BPFLUA_PERF_OUTPUT)

/* The flags of a record that was given none: wake the reader once per batch, at most an eighth of the ring, not each time it
 * has caught up, which costs the traced program several times the record. The reader looks by itself at what is less
 * than a batch. The placeholder becomes 1 when bpflua loads the program; other readers wait for the kernel's wake-ups, so
 * in other hands it stays what it is, and the flags 0. Two producers can step over a batch's end together: the next
 * batch's end wakes. */
#define __BPFLUA_BATCHED_WAKEUPS 0x75d70300
#define __BPFLUA_MOST_BATCHED 65536
__BPFLUA_FN u64 __bpflua_wakeup(void *__bpflua_ring, u64 __bpflua_ring_size, u64 __bpflua_size, _Bool __bpflua_counted)
{
	u64 batched;
	__asm__("%0 = %1" : "=r"(batched) : "i"(__BPFLUA_BATCHED_WAKEUPS));
	if (batched != 1)
		return 0;
	u64 batch = __bpflua_ring_size / 8 < __BPFLUA_MOST_BATCHED ? __bpflua_ring_size / 8 : __BPFLUA_MOST_BATCHED;
	u64 record = (__bpflua_size + 8 /* its header */ + 7) & ~7ULL;
	u64 before = bpf_ringbuf_query(__bpflua_ring, 0 /* BPF_RB_AVAIL_DATA */) - (__bpflua_counted ? record : 0);
	return (before + record) / batch > before / batch ? 2 /* BPF_RB_FORCE_WAKEUP */ : 1 /* BPF_RB_NO_WAKEUP */;
}

#define __BPFLUA_RINGBUF(DO, NAME)                                                                    \
	DO(NAME, ringbuf_output)                                                                      \
	DO(NAME, ringbuf_reserve)                                                                     \
	DO(NAME, ringbuf_submit)                                                                      \
	DO(NAME, ringbuf_discard)                                                                     \
	DO(NAME, ringbuf_query)
/* Names are pasted behind this level, so that a name may be a macro. */
#define BPF_RINGBUF_OUTPUT(NAME, PAGES) __BPFLUA_RINGBUF_OUTPUT(NAME, PAGES)
#define __BPFLUA_RINGBUF_OUTPUT(NAME, PAGES)                                                          \
	__BPFLUA_VAR(NAME, __BPFLUA_TYPE_RINGBUF, int (*max_entries)[(PAGES) * __BPFLUA_PAGE_SIZE];)  \
	__BPFLUA_LOST(NAME)                                                                           \
	__BPFLUA_FN int __bpflua_##NAME##_ringbuf_output(const void *__bpflua_data, u64 __bpflua_size, \
							  u64 __bpflua_flags, const void *__bpflua_event) \
	{                                                                                             \
		__bpflua_submits(&__bpflua_map_##NAME, __bpflua_event);                               \
		if (!__bpflua_flags)                                                                  \
			__bpflua_flags = __bpflua_wakeup(&__bpflua_map_##NAME, (PAGES) * __BPFLUA_PAGE_SIZE, \
							 __bpflua_size, 0);                           \
		int __bpflua_e = bpf_ringbuf_output(&__bpflua_map_##NAME, (void *)__bpflua_data,      \
						    __bpflua_size, __bpflua_flags);                   \
		if (__bpflua_e)                                                                       \
			__bpflua_lose(&__bpflua_lost_##NAME, __bpflua_e);                             \
		return __bpflua_e;                                                                    \
	}                                                                                             \
	__BPFLUA_FN void *__bpflua_##NAME##_ringbuf_reserve(u64 __bpflua_size)                        \
	{                                                                                             \
		void *__bpflua_r = bpf_ringbuf_reserve(&__bpflua_map_##NAME, __bpflua_size, 0);       \
		if (!__bpflua_r)                                                                      \
			__bpflua_lose(&__bpflua_lost_##NAME, -11 /* EAGAIN */);                       \
		return __bpflua_r;                                                                    \
	}                                                                                             \
	__BPFLUA_FN void __bpflua_##NAME##_ringbuf_submit(void *__bpflua_data, u64 __bpflua_flags, u64 __bpflua_size, \
							  const void *__bpflua_event)                 \
	{                                                                                             \
		__bpflua_submits(&__bpflua_map_##NAME, __bpflua_event);                               \
		if (!__bpflua_flags)                                                                  \
			__bpflua_flags = __bpflua_wakeup(&__bpflua_map_##NAME, (PAGES) * __BPFLUA_PAGE_SIZE, \
							 __bpflua_size, 1);                           \
		bpf_ringbuf_submit(__bpflua_data, __bpflua_flags);                                    \
	}                                                                                             \
	__BPFLUA_FN void __bpflua_##NAME##_ringbuf_discard(void *__bpflua_data, u64 __bpflua_flags)   \
	{                                                                                             \
		bpf_ringbuf_discard(__bpflua_data, __bpflua_flags);                                   \
	}                                                                                             \
	__BPFLUA_FN u64 __bpflua_##NAME##_ringbuf_query(u64 __bpflua_flags)                           \
	{                                                                                             \
		return bpf_ringbuf_query(&__bpflua_map_##NAME, __bpflua_flags);                       \
	}                                                                                             \
	__BPFLUA_ONE_TABLE(ringbuf, NAME, __BPFLUA_RINGBUF)

/* The kernel wants a power of two of stacks. */
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
#define __BPFLUA_DEF_GET_STACKID(NAME)                                                                \
	__BPFLUA_FN int __bpflua_##NAME##_get_stackid(void *__bpflua_ctx, u64 __bpflua_flags)        \
	{                                                                                             \
		return bpf_get_stackid(__bpflua_ctx, &__bpflua_map_##NAME, __bpflua_flags);           \
	}
#define __BPFLUA_STACKS(DO, NAME) DO(NAME, get_stackid)
#define __BPFLUA_STACK_MAP(NAME, V, MAX, FLAGS)                                                       \
	__BPFLUA_KV_VAR(NAME, __BPFLUA_TYPE_STACK_TRACE, int, V, __BPFLUA_POWER_OF_TWO(MAX), FLAGS)   \
	__BPFLUA_DEF_GET_STACKID(NAME)                                                                \
	__BPFLUA_ONE_TABLE(stack_trace, NAME, __BPFLUA_STACKS)
#define BPF_STACK_TRACE(NAME, MAX) __BPFLUA_STACK_MAP(NAME, struct bpf_stacktrace, MAX, 0)
#define BPF_STACK_TRACE_BUILDID(NAME, MAX) __BPFLUA_STACK_MAP(NAME, struct bpf_stacktrace_buildid, MAX, 1 << 5)

#endif
