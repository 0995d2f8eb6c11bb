/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* bcc's own helpers: logarithms, byte order, packet bytes, counters, tracepoint strings. */
#ifndef BPFLUA_DIALECT_H
#define BPFLUA_DIALECT_H
#pragma clang system_header

#define __BPFLUA_FN static inline __attribute__((always_inline, nodebug, unused))

/* floor(log2(v)), 0 for 0. */
__BPFLUA_FN unsigned int bpf_log2(unsigned int v)
{
	unsigned int r, shift;

	r = (v > 0xffff) << 4;
	v >>= r;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	return r | shift | (v >> 1);
}

/* The slot of v in a power-of-two histogram: floor(log2(v)) + 1, and 1 for 0. */
__BPFLUA_FN unsigned int bpf_log2l(unsigned long v)
{
	unsigned int high = v >> 32;

	return high ? bpf_log2(high) + 33 : bpf_log2(v) + 1;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define bpf_ntohs(x) ((__u16)__builtin_bswap16(x))
#define bpf_ntohl(x) ((__u32)__builtin_bswap32(x))
#define bpf_ntohll(x) ((__u64)__builtin_bswap64(x))
#else
#define bpf_ntohs(x) ((__u16)(x))
#define bpf_ntohl(x) ((__u32)(x))
#define bpf_ntohll(x) ((__u64)(x))
#endif

__BPFLUA_FN unsigned __int128 bpf_ntoh128(unsigned __int128 v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (unsigned __int128)__builtin_bswap64(v) << 64 | __builtin_bswap64(v >> 64);
#else
	return v;
#endif
}

#define bpf_htons(x) bpf_ntohs(x)
#define bpf_htonl(x) bpf_ntohl(x)
#define bpf_htonll(x) bpf_ntohll(x)
#define bpf_hton128(x) bpf_ntoh128(x)
#define bpf_be16_to_cpu(x) bpf_ntohs(x)
#define bpf_be32_to_cpu(x) bpf_ntohl(x)
#define bpf_be64_to_cpu(x) bpf_ntohll(x)
#define bpf_cpu_to_be16(x) bpf_ntohs(x)
#define bpf_cpu_to_be32(x) bpf_ntohl(x)
#define bpf_cpu_to_be64(x) bpf_ntohll(x)
#define ntohs(x) bpf_ntohs(x)
#define ntohl(x) bpf_ntohl(x)
#define htons(x) bpf_ntohs(x)
#define htonl(x) bpf_ntohl(x)
#define be16_to_cpu(x) bpf_ntohs(x)
#define be32_to_cpu(x) bpf_ntohl(x)
#define be64_to_cpu(x) bpf_ntohll(x)
#define cpu_to_be16(x) bpf_ntohs(x)
#define cpu_to_be32(x) bpf_ntohl(x)
#define cpu_to_be64(x) bpf_ntohll(x)
#define be16_to_cpup(p) bpf_ntohs(*(p))
#define be32_to_cpup(p) bpf_ntohl(*(p))
#define be64_to_cpup(p) bpf_ntohll(*(p))

/* This CPU's place in a map of perf events: BPF_F_CURRENT_CPU. */
#define CUR_CPU_IDENTIFIER 0xffffffffULL
#define lock_xadd(p, v) ((void)__sync_fetch_and_add(p, v))

/* The packet dialect's cursor: yields where it stood, leaves it len further on. */
#define cursor_advance(cursor, len)                                                                   \
	({                                                                                            \
		void *__bpflua_at = (cursor);                                                         \
		(cursor) += (len);                                                                    \
		__bpflua_at;                                                                          \
	})

#include "bpflua/packet.h"

/* How many CPUs are online is the host's to say: a compiler flag where it is known. */
#ifndef __BPFLUA_NUM_CPUS
#define __BPFLUA_NUM_CPUS 1
#endif
#define bpf_num_cpus() ((unsigned int)__BPFLUA_NUM_CPUS)

/* A tracepoint's dynamic string: the low half of data_loc_<field> is its place in the record, the high half its
 * length. These use the variable that TRACEPOINT_PROBE calls args. */
#define __BPFLUA_LOC(field) ((const char *)args + (args->data_loc_##field & 0xffff))
#define TP_DATA_LOC_READ_CONST(dst, field, length) \
	((void)bpf_probe_read_kernel((void *)(dst), length, __BPFLUA_LOC(field)))
/* All of it, or as much as fits where dst is an array: what is longer would be written past it. */
#define __BPFLUA_ROOM(dst)                                                                            \
	__builtin_choose_expr(__builtin_types_compatible_p(typeof(dst), typeof(&(dst)[0])), 0xffff, sizeof(dst))
#define TP_DATA_LOC_READ(dst, field)                                                                  \
	({                                                                                            \
		unsigned int __bpflua_length = (unsigned int)args->data_loc_##field >> 16;            \
		if (__bpflua_length > __BPFLUA_ROOM(dst))                                             \
			__bpflua_length = __BPFLUA_ROOM(dst);                                         \
		(void)bpf_probe_read_kernel((void *)(dst), __bpflua_length, __BPFLUA_LOC(field));     \
	})
#define TP_DATA_LOC_READ_STR(dst, field, length) \
	((void)bpf_probe_read_kernel_str((void *)(dst), length, __BPFLUA_LOC(field)))
#define TP_DATA_LOC(field) __BPFLUA_LOC(field)

#endif
