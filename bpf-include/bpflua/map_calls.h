/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Methods that a member of a structure cannot express: those with an optional argument, and those that must see the
 * type of what they are given. They are function-like macros, so only the name followed by a parenthesis is one. */
#ifndef BPFLUA_MAP_CALLS_H
#define BPFLUA_MAP_CALLS_H
#pragma clang system_header

/* increment(key) stays as it is; increment(key, n) goes to another member. A compound literal is the trouble: its
 * commas split it, so increment((struct key){1, 2}) looks like two arguments. Where the first begins with a parenthesis
 * and something follows it, the whole list initialises a structure of key and n, and C itself counts. */
#define increment(...) __BPFLUA_COUNT_CALL(increment, __VA_ARGS__)
#define atomic_increment(...) __BPFLUA_COUNT_CALL(atomic_increment, __VA_ARGS__)

#define __BPFLUA_COUNT_CALL(method, ...) \
	__BPFLUA_BY_COUNT(__BPFLUA_COUNT_CALL, __VA_ARGS__)(method, __VA_ARGS__)
#define __BPFLUA_COUNT_CALL1(method, ...) method(__VA_ARGS__)
#define __BPFLUA_COUNT_CALL2(method, first, ...) \
	__BPFLUA_PASTE(__BPFLUA_COUNT_FORM, __BPFLUA_IS_SPLIT(first))(method, first, __VA_ARGS__)
#define __BPFLUA_COUNT_CALL3 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL4 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL5 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL6 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL7 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL8 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL9 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL10 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL11 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL12 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL13 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL14 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_CALL15 __BPFLUA_COUNT_CALL2
#define __BPFLUA_COUNT_FORM0(method, ...) __bpflua_##method##_n(__VA_ARGS__)
#define __BPFLUA_COUNT_FORM1(method, first, ...)                                                      \
	__bpflua_##method##_packed(                                                                   \
		&(struct {                                                                            \
			__BPFLUA_KEY_TYPE(__BPFLUA_CUT first) __bpflua_k;                             \
			unsigned long long __bpflua_n;                                                \
			unsigned int __bpflua_rest;                                                   \
		}){ first, __VA_ARGS__, 1 },                                                          \
		sizeof(__BPFLUA_KEY_TYPE(__BPFLUA_CUT first)))

/* 1 when the argument begins with a parenthesised group and something follows the group. */
#define __BPFLUA_IS_SPLIT(first) __BPFLUA_PASTE(__BPFLUA_SPLIT, __BPFLUA_HAS_GROUP(first))(first)
#define __BPFLUA_SPLIT0(first) 0
#define __BPFLUA_SPLIT1(first) __BPFLUA_HAS_TOKENS(__BPFLUA_EAT first)
#define __BPFLUA_HAS_GROUP(first) __BPFLUA_SECOND(__BPFLUA_PROBE first, 0, _)
#define __BPFLUA_PROBE(...) _, 1,
#define __BPFLUA_EAT(...)
#define __BPFLUA_CUT(...) __VA_ARGS__,
#define __BPFLUA_HAS_TOKENS(...) __BPFLUA_HAS_TOKENS_(__VA_ARGS__)
#define __BPFLUA_HAS_TOKENS_(...) __BPFLUA_SECOND(_ __VA_OPT__(, 1), 0, _)
#define __BPFLUA_SECOND(...) __BPFLUA_SECOND_(__VA_ARGS__)
#define __BPFLUA_SECOND_(a, b, ...) b

/* (group){… is a compound literal of that type; any other (group)… is an arithmetic expression. */
#define __BPFLUA_KEY_TYPE(...) __BPFLUA_KEY_TYPE_(__VA_ARGS__)
#define __BPFLUA_KEY_TYPE_(group, ...)                                                                \
	typeof(__builtin_choose_expr(!__builtin_strncmp(#__VA_ARGS__, "{", 1), *(typeof(group) *)0, 0ULL))

/* n, from where it follows the key in that structure. A number serves for any key that is a number; a structure must be
 * of the key's size. */
extern void __bpflua_wrong_key_type(void) __attribute__((error("the compound literal is not of the map's key type")));
__BPFLUA_FN unsigned long long __bpflua_packed_n(const void *packed, unsigned int size, unsigned int key_size)
{
	if (size != key_size && (size != 8 || key_size > 8))
		__bpflua_wrong_key_type();
	return *(const unsigned long long *)(packed + ((size + 7) & ~7U));
}

/* The variable that carries an event's type: its own type is pointer to it. An array counts as itself, not as its first
 * element. */
#define __BPFLUA_IS_ARRAY(data) (!__builtin_types_compatible_p(typeof(data), typeof(&*(data))))
#define __BPFLUA_EVENT(...) __BPFLUA_EVENT_((__VA_ARGS__))
#define __BPFLUA_EVENT_(data)                                                                         \
	({                                                                                            \
		static typeof(*__builtin_choose_expr(__BPFLUA_IS_ARRAY(data), (typeof(data) *)0, (data))) \
			*__bpflua_event __attribute__((section(".bpflua.events"), used));             \
		&__bpflua_event;                                                                      \
	})

/* The data may be a compound literal with commas of its own: what lies between the other arguments. */
#define perf_submit(ctx, ...) perf_submit(ctx, __VA_ARGS__, __BPFLUA_BUT_LAST(__VA_ARGS__))
#define perf_submit_skb(ctx, packet_size, ...) \
	perf_submit_skb(ctx, packet_size, __VA_ARGS__, __BPFLUA_BUT_LAST(__VA_ARGS__))
#define ringbuf_output(...) ringbuf_output(__VA_ARGS__, __BPFLUA_BUT_TWO(__VA_ARGS__))
#define ringbuf_submit(...) \
	ringbuf_submit(__VA_ARGS__, sizeof(**__BPFLUA_BUT_LAST(__VA_ARGS__)), __BPFLUA_BUT_LAST(__VA_ARGS__))

#define __BPFLUA_BUT_LAST(...) __BPFLUA_BY_COUNT(__BPFLUA_HEAD, __VA_ARGS__)(__VA_ARGS__)
#define __BPFLUA_BUT_TWO(first, ...) __BPFLUA_BY_COUNT(__BPFLUA_HEAD, __VA_ARGS__)(first, __VA_ARGS__)
#define __BPFLUA_HEAD1(a, ...) __BPFLUA_EVENT(a)
#define __BPFLUA_HEAD2(a, ...) __BPFLUA_EVENT(a)
#define __BPFLUA_HEAD3(a, b, ...) __BPFLUA_EVENT(a, b)
#define __BPFLUA_HEAD4(a, b, c, ...) __BPFLUA_EVENT(a, b, c)
#define __BPFLUA_HEAD5(a, b, c, d, ...) __BPFLUA_EVENT(a, b, c, d)
#define __BPFLUA_HEAD6(a, b, c, d, e, ...) __BPFLUA_EVENT(a, b, c, d, e)
#define __BPFLUA_HEAD7(a, b, c, d, e, f, ...) __BPFLUA_EVENT(a, b, c, d, e, f)
#define __BPFLUA_HEAD8(a, b, c, d, e, f, g, ...) __BPFLUA_EVENT(a, b, c, d, e, f, g)
#define __BPFLUA_HEAD9(a, b, c, d, e, f, g, h, ...) __BPFLUA_EVENT(a, b, c, d, e, f, g, h)
#define __BPFLUA_HEAD10(a, b, c, d, e, f, g, h, i, ...) __BPFLUA_EVENT(a, b, c, d, e, f, g, h, i)
#define __BPFLUA_HEAD11(a, b, c, d, e, f, g, h, i, j, ...) __BPFLUA_EVENT(a, b, c, d, e, f, g, h, i, j)
#define __BPFLUA_HEAD12(a, b, c, d, e, f, g, h, i, j, k, ...) __BPFLUA_EVENT(a, b, c, d, e, f, g, h, i, j, k)

#endif
