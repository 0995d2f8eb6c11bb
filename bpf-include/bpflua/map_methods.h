/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The methods of maps. For a map called counts, __BPFLUA_DEF_LOOKUP(counts, …) makes __bpflua_counts_lookup() over the
 * variable __bpflua_map_counts, and so on. They have no debug information of their own, so that every instruction
 * carries the line of the text that called the method, which is what the verifier's log shows. */
#ifndef BPFLUA_MAP_METHODS_H
#define BPFLUA_MAP_METHODS_H
#pragma clang system_header

#define __BPFLUA_M(NAME) ((void *)&__bpflua_map_##NAME)
#define __BPFLUA_F(NAME, METHOD) __bpflua_##NAME##_##METHOD

/* Members of a map's table of methods, and their values. */
#define __BPFLUA_AS(NAME, METHOD, FN) typeof(__BPFLUA_F(NAME, FN)) *METHOD;
#define __BPFLUA_HAS(NAME, METHOD) __BPFLUA_AS(NAME, METHOD, METHOD)
#define __BPFLUA_IS(NAME, METHOD, FN) .METHOD = __BPFLUA_F(NAME, FN),
#define __BPFLUA_SET(NAME, METHOD) __BPFLUA_IS(NAME, METHOD, METHOD)

/* The table itself: the compiler folds its members away. The structure's name tells the kind of map and its name, as in
 * "no member named 'get_stackid' in 'struct bpflua_hash_map_counts'". */
#define __BPFLUA_TABLE(KIND, NAME, MEMBERS, VALUES)                                                   \
	static const struct bpflua_##KIND##_map_##NAME {                                              \
		MEMBERS                                                                               \
	} NAME __asm__("__bpflua_table_" #NAME) __attribute__((nodebug, unused)) = { VALUES }

enum { __BPFLUA_ANY, __BPFLUA_NOEXIST };

__BPFLUA_FN void __bpflua_add(void *value, unsigned long long n, unsigned int size)
{
	if (size == 8)
		__sync_fetch_and_add((unsigned long long *)value, n);
	else if (size == 4)
		__sync_fetch_and_add((unsigned int *)value, n);
	else if (size == 2)
		*(unsigned short *)value += n;
	else
		*(unsigned char *)value += n;
}

__BPFLUA_FN void __bpflua_add_here(void *value, unsigned long long n, unsigned int size)
{
	if (size == 8)
		*(unsigned long long *)value += n;
	else if (size == 4)
		*(unsigned int *)value += n;
	else
		__bpflua_add(value, n, size);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __BPFLUA_LOW_BYTES(n, size) (n)
#else
#define __BPFLUA_LOW_BYTES(n, size) ((n) << (64 - 8 * (size)))
#endif

#define __BPFLUA_DEF_LOOKUP(NAME, K, V)                                                               \
	__BPFLUA_FN typeof(V) *__BPFLUA_F(NAME, lookup)(const typeof(K) *__bpflua_k)                  \
	{                                                                                             \
		return bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k);                             \
	}

#define __BPFLUA_DEF_LOOKUP_OR_TRY_INIT(NAME, K, V)                                                   \
	__BPFLUA_FN typeof(V) *__BPFLUA_F(NAME, lookup_or_try_init)(const typeof(K) *__bpflua_k,      \
								    const typeof(V) *__bpflua_v)      \
	{                                                                                             \
		typeof(V) *__bpflua_at = bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k);           \
		if (__bpflua_at)                                                                      \
			return __bpflua_at;                                                           \
		bpf_map_update_elem(__BPFLUA_M(NAME), __bpflua_k, __bpflua_v, __BPFLUA_NOEXIST);      \
		return bpf_map_lookup_elem(__BPFLUA_M(NAME), __bpflua_k);                             \
	}

#define __BPFLUA_DEF_UPDATE(NAME, K, V)                                                               \
	__BPFLUA_FN long __BPFLUA_F(NAME, update)(const typeof(K) *__bpflua_k,                        \
						  const typeof(V) *__bpflua_v)                        \
	{                                                                                             \
		return bpf_map_update_elem(__BPFLUA_M(NAME), __bpflua_k, __bpflua_v, __BPFLUA_ANY);   \
	}

#define __BPFLUA_DEF_INSERT(NAME, K, V)                                                               \
	__BPFLUA_FN long __BPFLUA_F(NAME, insert)(const typeof(K) *__bpflua_k,                        \
						  const typeof(V) *__bpflua_v)                        \
	{                                                                                             \
		return bpf_map_update_elem(__BPFLUA_M(NAME), __bpflua_k, __bpflua_v, __BPFLUA_NOEXIST); \
	}

#define __BPFLUA_DEF_DELETE(NAME, K)                                                                  \
	__BPFLUA_FN long __BPFLUA_F(NAME, delete)(const typeof(K) *__bpflua_k)                        \
	{                                                                                             \
		return bpf_map_delete_elem(__BPFLUA_M(NAME), __bpflua_k);                             \
	}

/* increment: adds to a value that is there; where CREATES, a missing key begins at n. When another CPU has created it
 * meanwhile, its value is added to, so no count is lost. */
#define __BPFLUA_DEF_INCREMENT(NAME, K, V, METHOD, ADD, CREATES)                                      \
	__BPFLUA_FN void __BPFLUA_F(NAME, METHOD##_n)(typeof(K) __bpflua_k, unsigned long long __bpflua_n) \
	{                                                                                             \
		void *__bpflua_at = bpf_map_lookup_elem(__BPFLUA_M(NAME), &__bpflua_k);               \
		if (!__bpflua_at && (CREATES)) {                                                      \
			unsigned long long __bpflua_v = __BPFLUA_LOW_BYTES(__bpflua_n, sizeof(V));    \
			if (!bpf_map_update_elem(__BPFLUA_M(NAME), &__bpflua_k, &__bpflua_v,          \
						 __BPFLUA_NOEXIST))                                   \
				return;                                                               \
			__bpflua_at = bpf_map_lookup_elem(__BPFLUA_M(NAME), &__bpflua_k);             \
		}                                                                                     \
		if (__bpflua_at)                                                                      \
			ADD(__bpflua_at, __bpflua_n, sizeof(V));                                      \
	}                                                                                             \
	__BPFLUA_FN void __BPFLUA_F(NAME, METHOD)(typeof(K) __bpflua_k)                               \
	{                                                                                             \
		__BPFLUA_F(NAME, METHOD##_n)(__bpflua_k, 1);                                          \
	}                                                                                             \
	__BPFLUA_FN void __BPFLUA_F(NAME, METHOD##_packed)(const void *__bpflua_p, unsigned int __bpflua_size) \
	{                                                                                             \
		typeof(K) __bpflua_k;                                                                 \
		__builtin_memcpy(&__bpflua_k, __bpflua_p, sizeof(K));                                 \
		__BPFLUA_F(NAME, METHOD##_n)(__bpflua_k, __bpflua_packed_n(__bpflua_p, __bpflua_size)); \
	}

/* Only a whole number can be incremented: for any other leaf the members are pointers to a structure whose name says
 * so, and the functions are never referenced, hence never emitted. */
#define __BPFLUA_IS_NUMBER(V) (__builtin_classify_type(*(typeof(V) *)0) - 1U < 4)
#define __BPFLUA_IF_NUMBER(NAME, V, FN) \
	__builtin_choose_expr(__BPFLUA_IS_NUMBER(V), FN, (struct bpflua_leaf_of_##NAME##_is_no_integer *)0)
#define __BPFLUA_HAS_COUNT(NAME, V, MEMBER, FN) typeof(__BPFLUA_IF_NUMBER(NAME, V, &FN)) MEMBER;
#define __BPFLUA_SET_COUNT(NAME, V, MEMBER, FN) .MEMBER = __BPFLUA_IF_NUMBER(NAME, V, &FN),
#define __BPFLUA_COUNTS(DO, NAME, V, METHOD, FROM)                                                    \
	DO(NAME, V, METHOD, __BPFLUA_F(NAME, FROM))                                                   \
	DO(NAME, V, __bpflua_##METHOD##_n, __BPFLUA_F(NAME, FROM##_n))                                \
	DO(NAME, V, __bpflua_##METHOD##_packed, __BPFLUA_F(NAME, FROM##_packed))

/* The last parameter is the variable whose type is the event's; the compiler pairs it with the map by this call, and
 * removes the call. */
#ifdef __BPFLUA_NO_EVENTS
#define __bpflua_submits(map, event) ((void)0)
#else
extern void __bpflua_submits(void *map, const void *event) __attribute__((nothrow));
#endif

#define __BPFLUA_DEF_PERF_SUBMIT(NAME)                                                                \
	__BPFLUA_FN long __BPFLUA_F(NAME, perf_submit)(void *__bpflua_ctx, const void *__bpflua_data, \
						       unsigned long long __bpflua_size,              \
						       const void *__bpflua_event)                    \
	{                                                                                             \
		__bpflua_submits(__BPFLUA_M(NAME), __bpflua_event);                                   \
		return bpf_perf_event_output(__bpflua_ctx, __BPFLUA_M(NAME), 0xffffffffULL,           \
					     (void *)__bpflua_data, __bpflua_size);                   \
	}                                                                                             \
	__BPFLUA_FN long __BPFLUA_F(NAME, perf_submit_skb)(void *__bpflua_ctx, unsigned int __bpflua_packet_size, \
							   const void *__bpflua_data,                 \
							   unsigned long long __bpflua_size,          \
							   const void *__bpflua_event)                \
	{                                                                                             \
		__bpflua_submits(__BPFLUA_M(NAME), __bpflua_event);                                   \
		return bpf_perf_event_output(__bpflua_ctx, __BPFLUA_M(NAME),                          \
					     (unsigned long long)__bpflua_packet_size << 32 | 0xffffffff, \
					     (void *)__bpflua_data, __bpflua_size);                   \
	}

#define __BPFLUA_DEF_RINGBUF(NAME)                                                                    \
	__BPFLUA_FN long __BPFLUA_F(NAME, ringbuf_output)(const void *__bpflua_data,                  \
							  unsigned long long __bpflua_size,           \
							  unsigned long long __bpflua_flags,          \
							  const void *__bpflua_event)                 \
	{                                                                                             \
		__bpflua_submits(__BPFLUA_M(NAME), __bpflua_event);                                   \
		return bpf_ringbuf_output(__BPFLUA_M(NAME), (void *)__bpflua_data, __bpflua_size,     \
					  __bpflua_flags);                                            \
	}                                                                                             \
	__BPFLUA_FN void *__BPFLUA_F(NAME, ringbuf_reserve)(unsigned long long __bpflua_size)         \
	{                                                                                             \
		return bpf_ringbuf_reserve(__BPFLUA_M(NAME), __bpflua_size, 0);                       \
	}                                                                                             \
	__BPFLUA_FN void __BPFLUA_F(NAME, ringbuf_submit)(void *__bpflua_data,                        \
							  unsigned long long __bpflua_flags,          \
							  const void *__bpflua_event)                 \
	{                                                                                             \
		__bpflua_submits(__BPFLUA_M(NAME), __bpflua_event);                                   \
		bpf_ringbuf_submit(__bpflua_data, __bpflua_flags);                                    \
	}                                                                                             \
	__BPFLUA_FN void __BPFLUA_F(NAME, ringbuf_discard)(void *__bpflua_data,                       \
							   unsigned long long __bpflua_flags)         \
	{                                                                                             \
		bpf_ringbuf_discard(__bpflua_data, __bpflua_flags);                                   \
	}                                                                                             \
	__BPFLUA_FN unsigned long long __BPFLUA_F(NAME, ringbuf_query)(unsigned long long __bpflua_flags) \
	{                                                                                             \
		return bpf_ringbuf_query(__BPFLUA_M(NAME), __bpflua_flags);                           \
	}

#define __BPFLUA_DEF_GET_STACKID(NAME)                                                                \
	__BPFLUA_FN long __BPFLUA_F(NAME, get_stackid)(void *__bpflua_ctx, unsigned long long __bpflua_flags) \
	{                                                                                             \
		return bpf_get_stackid(__bpflua_ctx, __BPFLUA_M(NAME), __bpflua_flags);               \
	}

#endif
