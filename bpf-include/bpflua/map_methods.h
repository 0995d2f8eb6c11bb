/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The methods of maps with keys and values, and what all maps share. For a map called counts, __BPFLUA_DEF_LOOKUP(counts,
 * …) makes __bpflua_counts_lookup() over the variable __bpflua_map_counts, and so on. They have no debug information of
 * their own, so that every instruction carries the line of the text that called the method, which is what the verifier's
 * log shows.
 *
 * Every map of every text is expanded from these macros, so they are written flat: each level of macro costs the
 * preprocessor another pass over all the tokens below it. */
#ifndef BPFLUA_MAP_METHODS_H
#define BPFLUA_MAP_METHODS_H
#pragma clang system_header

#define __BPFLUA_M(NAME) ((void *)&__bpflua_map_##NAME)

/* Few texts look at what update returns, so what a map did not take is counted, for the host to tell: how often, and the
 * last reason. The section is a map of its own, there only when something in it is used. Nothing is done but on the way
 * of a failure, and what is done is short: it is inlined at every call. */
struct __bpflua_lost {
	unsigned long long count;
	int error;
};
#define __BPFLUA_LOST(NAME) \
	static struct __bpflua_lost __bpflua_lost_##NAME __attribute__((section(".bss.lost"), nodebug));
__BPFLUA_FN void __bpflua_lose(struct __bpflua_lost *lost, int error)
{
	*(volatile int *)&lost->error = error;
	__sync_fetch_and_add(&lost->count, 1);
}

/* The map variable. FIELDS are those beyond the type; the symbol and the name in BTF are the user's. The methods share
 * one typedef each of key and value, so that a structure written in the macro's arguments is one type to them all. */
#define __BPFLUA_VAR(NAME, TYPE, FIELDS)                                                              \
	struct {                                                                                      \
		int (*type)[TYPE];                                                                    \
		FIELDS                                                                                \
	} __bpflua_map_##NAME __asm__(#NAME) __attribute__((section(".maps"), used));
#define __BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS)                                                 \
	struct {                                                                                      \
		int (*type)[TYPE];                                                                    \
		typeof(K) *key;                                                                       \
		typeof(V) *value;                                                                     \
		int (*max_entries)[MAX];                                                              \
		int (*map_flags)[FLAGS];                                                              \
	} __bpflua_map_##NAME __asm__(#NAME) __attribute__((section(".maps"), used));                  \
	__BPFLUA_LOST(NAME)                                                                           \
	typedef typeof(K) __bpflua_##NAME##_k;                                                        \
	typedef typeof(V) __bpflua_##NAME##_v;

/* The table of methods, which the compiler folds away. The structure's name tells the kind of map and its name, as in
 * "no member named 'get_stackid' in 'struct bpflua_hash_map_counts'". It takes members, then values, each ending as a
 * list inside braces does. */
#define __BPFLUA_TABLE(KIND, NAME) static const struct bpflua_##KIND##_map_##NAME
#define __BPFLUA_TABLE_AS(NAME) NAME __asm__("__bpflua_table_" #NAME) __attribute__((nodebug, unused)) =
#define __BPFLUA_HAS(NAME, METHOD) typeof(__bpflua_##NAME##_##METHOD) *METHOD;
#define __BPFLUA_SET(NAME, METHOD) .METHOD = __bpflua_##NAME##_##METHOD,
#define __BPFLUA_ONE_TABLE(KIND, NAME, METHODS) \
	__BPFLUA_TABLE(KIND, NAME) { METHODS(__BPFLUA_HAS, NAME) } __BPFLUA_TABLE_AS(NAME) { METHODS(__BPFLUA_SET, NAME) }

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

/* What `increment` does with a key that is not there. */
enum {
	__BPFLUA_PASSES, /* nothing: there is no such prefix */
	__BPFLUA_CREATES, /* it begins at n */
	__BPFLUA_LOSES, /* an index beyond the array */
};

/* Adds to a value that is there. When another CPU has created it meanwhile, its value is added to, so no count is lost. */
__BPFLUA_FN void __bpflua_count(void *map, const void *key, unsigned long long n, unsigned int size, int missing,
				void (*add)(void *, unsigned long long, unsigned int), struct __bpflua_lost *lost)
{
	void *value = bpf_map_lookup_elem(map, key);
	int error = -7; /* E2BIG */

	if (!value && missing == __BPFLUA_CREATES) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		unsigned long long first = n;
#else
		unsigned long long first = n << (64 - 8 * size);
#endif

		error = bpf_map_update_elem(map, key, &first, __BPFLUA_NOEXIST);
		if (!error)
			return;
		value = bpf_map_lookup_elem(map, key);
	}
	if (value)
		add(value, n, size);
	else if (missing != __BPFLUA_PASSES)
		__bpflua_lose(lost, error);
}

__BPFLUA_FN void *__bpflua_lookup_or_try_init(void *map, const void *key, const void *value, struct __bpflua_lost *lost)
{
	void *found = bpf_map_lookup_elem(map, key);
	int error;

	if (found)
		return found;
	error = bpf_map_update_elem(map, key, value, __BPFLUA_NOEXIST);
	found = bpf_map_lookup_elem(map, key);
	if (!found)
		__bpflua_lose(lost, error);
	return found;
}

/* EEXIST is an answer, not a loss. */
__BPFLUA_FN int __bpflua_update(void *map, const void *key, const void *value, unsigned long long flags,
				struct __bpflua_lost *lost)
{
	int error = bpf_map_update_elem(map, key, value, flags);

	if (error && !(flags == __BPFLUA_NOEXIST && error == -17))
		__bpflua_lose(lost, error);
	return error;
}

#define __BPFLUA_DEF_KEYED(NAME)                                                                \
	__BPFLUA_FN __bpflua_##NAME##_v *__bpflua_##NAME##_lookup(const __bpflua_##NAME##_k *__bpflua_k)                  \
	{                                                                                             \
		return bpf_map_lookup_elem(&__bpflua_map_##NAME, __bpflua_k);                         \
	}                                                                                             \
	__BPFLUA_FN __bpflua_##NAME##_v *__bpflua_##NAME##_lookup_or_try_init(const __bpflua_##NAME##_k *__bpflua_k,      \
								    const __bpflua_##NAME##_v *__bpflua_v)      \
	{                                                                                             \
		return __bpflua_lookup_or_try_init(&__bpflua_map_##NAME, __bpflua_k, __bpflua_v,      \
						   &__bpflua_lost_##NAME);                            \
	}                                                                                             \
	__BPFLUA_FN int __bpflua_##NAME##_update(const __bpflua_##NAME##_k *__bpflua_k, const __bpflua_##NAME##_v *__bpflua_v) \
	{                                                                                             \
		return __bpflua_update(&__bpflua_map_##NAME, __bpflua_k, __bpflua_v, __BPFLUA_ANY,    \
				       &__bpflua_lost_##NAME);                                        \
	}                                                                                             \
	__BPFLUA_FN int __bpflua_##NAME##_insert(const __bpflua_##NAME##_k *__bpflua_k, const __bpflua_##NAME##_v *__bpflua_v) \
	{                                                                                             \
		return __bpflua_update(&__bpflua_map_##NAME, __bpflua_k, __bpflua_v, __BPFLUA_NOEXIST, \
				       &__bpflua_lost_##NAME);                                        \
	}                                                                                             \
	__BPFLUA_FN int __bpflua_##NAME##_delete(const __bpflua_##NAME##_k *__bpflua_k)                        \
	{                                                                                             \
		return bpf_map_delete_elem(&__bpflua_map_##NAME, __bpflua_k);                         \
	}

/* METHOD is increment or atomic_increment, ADD how it adds. See map_calls.h for the three forms. */
#define __BPFLUA_DEF_COUNT(NAME, METHOD, ADD, MISSING)                                          \
	__BPFLUA_FN void __bpflua_##NAME##_##METHOD##_n(__bpflua_##NAME##_k __bpflua_k, unsigned long long __bpflua_n) \
	{                                                                                             \
		__bpflua_count(&__bpflua_map_##NAME, &__bpflua_k, __bpflua_n, sizeof(__bpflua_##NAME##_v), MISSING, ADD, \
			       &__bpflua_lost_##NAME);                                                \
	}                                                                                             \
	__BPFLUA_FN void __bpflua_##NAME##_##METHOD(__bpflua_##NAME##_k __bpflua_k)                             \
	{                                                                                             \
		__bpflua_count(&__bpflua_map_##NAME, &__bpflua_k, 1, sizeof(__bpflua_##NAME##_v), MISSING, ADD, \
			       &__bpflua_lost_##NAME);                                                \
	}                                                                                             \
	__BPFLUA_FN void __bpflua_##NAME##_##METHOD##_packed(const void *__bpflua_p, unsigned int __bpflua_size) \
	{                                                                                             \
		__bpflua_##NAME##_k __bpflua_k;                                                                 \
		__builtin_memcpy(&__bpflua_k, __bpflua_p, sizeof(__bpflua_k));                                 \
		__bpflua_count(&__bpflua_map_##NAME, &__bpflua_k,                                     \
			       __bpflua_packed_n(__bpflua_p, __bpflua_size, sizeof(__bpflua_k)), sizeof(__bpflua_##NAME##_v), MISSING, ADD, \
			       &__bpflua_lost_##NAME);                                                \
	}

/* Only a whole number can be incremented: for any other leaf the members are pointers to a structure whose name says
 * so, and the functions are never referenced, hence never emitted. */
#define __BPFLUA_IS_NUMBER(V) (__builtin_classify_type(*(typeof(V) *)0) - 1U < 4)
#define __BPFLUA_COUNT_TYPES(NAME, COUNTS, WRONG)                                                     \
	enum { __bpflua_##NAME##_counts = COUNTS };                                                   \
	typedef typeof(__builtin_choose_expr(__bpflua_##NAME##_counts, &__bpflua_##NAME##_increment,  \
					     WRONG)) __bpflua_##NAME##_1_t;                           \
	typedef typeof(__builtin_choose_expr(__bpflua_##NAME##_counts, &__bpflua_##NAME##_increment_n, \
					     WRONG)) __bpflua_##NAME##_n_t;                           \
	typedef typeof(__builtin_choose_expr(__bpflua_##NAME##_counts, &__bpflua_##NAME##_increment_packed, \
					     WRONG)) __bpflua_##NAME##_p_t;
#define __BPFLUA_COUNT_MEMBERS(NAME)                                                                  \
	__bpflua_##NAME##_1_t increment, atomic_increment;                                            \
	__bpflua_##NAME##_n_t __bpflua_increment_n, __bpflua_atomic_increment_n;                      \
	__bpflua_##NAME##_p_t __bpflua_increment_packed, __bpflua_atomic_increment_packed;
#define __BPFLUA_COUNT_VALUES(NAME, ATOMIC)                                                           \
	.increment = (void *)(__bpflua_##NAME##_counts ? &__bpflua_##NAME##_increment : 0),           \
	.atomic_increment = (void *)(__bpflua_##NAME##_counts ? &__bpflua_##NAME##_##ATOMIC : 0),     \
	.__bpflua_increment_n = (void *)(__bpflua_##NAME##_counts ? &__bpflua_##NAME##_increment_n : 0), \
	.__bpflua_atomic_increment_n = (void *)(__bpflua_##NAME##_counts ? &__bpflua_##NAME##_##ATOMIC##_n : 0), \
	.__bpflua_increment_packed = (void *)(__bpflua_##NAME##_counts ? &__bpflua_##NAME##_increment_packed : 0), \
	.__bpflua_atomic_increment_packed =                                                           \
		(void *)(__bpflua_##NAME##_counts ? &__bpflua_##NAME##_##ATOMIC##_packed : 0),

/* lookup_or_init is bcc's older form. It returned from the calling function when there was no room; this one returns
 * NULL, as lookup_or_try_init does. */
#define __BPFLUA_KEYED_TABLE(KIND, NAME, ATOMIC, INSERT)                                              \
	__BPFLUA_COUNT_TYPES(NAME, __BPFLUA_IS_NUMBER(__bpflua_##NAME##_v),                           \
			     (struct bpflua_leaf_of_##NAME##_is_no_integer *)0)                       \
	static const struct bpflua_##KIND##_map_##NAME {                                              \
		typeof(__bpflua_##NAME##_lookup) *lookup;                                             \
		typeof(__bpflua_##NAME##_lookup_or_try_init) *lookup_or_try_init, *lookup_or_init;    \
		typeof(__bpflua_##NAME##_update) *update;                                             \
		union { /* set by a name that is not warned of */                                     \
			typeof(__bpflua_##NAME##_update) *insert INSERT, *__bpflua_insert;            \
		};                                                                                    \
		typeof(__bpflua_##NAME##_delete) *delete;                                             \
		__BPFLUA_COUNT_MEMBERS(NAME)                                                          \
	} NAME __asm__("__bpflua_table_" #NAME) __attribute__((nodebug, unused)) = {                  \
		.lookup = __bpflua_##NAME##_lookup,                                                   \
		.lookup_or_try_init = __bpflua_##NAME##_lookup_or_try_init,                           \
		.lookup_or_init = __bpflua_##NAME##_lookup_or_try_init,                               \
		.update = __bpflua_##NAME##_update,                                                   \
		.__bpflua_insert = __bpflua_##NAME##_insert,                                          \
		.delete = __bpflua_##NAME##_delete,                                                   \
		__BPFLUA_COUNT_VALUES(NAME, ATOMIC)                                                   \
	}

/* An array's elements are all there. */
#define __BPFLUA_IN_VAIN \
	__attribute__((deprecated("`insert` never succeeds in an array, whose elements are all there: use `update`")))

/* MISSING says what increment does about a key that is not there. In a per-CPU map nobody else writes, except a program that interrupts
 * this one: increment is a plain addition there, and atomic_increment heeds that case. */
#define __BPFLUA_KEYED_MAP(KIND, TYPE, NAME, K, V, MAX, FLAGS, MISSING, INSERT)                       \
	__BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS)                                                 \
	__BPFLUA_DEF_KEYED(NAME)                                                                \
	__BPFLUA_DEF_COUNT(NAME, increment, __bpflua_add, MISSING)                              \
	__BPFLUA_KEYED_TABLE(KIND, NAME, increment, INSERT)
#define __BPFLUA_PERCPU_MAP(KIND, TYPE, NAME, K, V, MAX, FLAGS, MISSING, INSERT)                      \
	__BPFLUA_KV_VAR(NAME, TYPE, K, V, MAX, FLAGS)                                                 \
	__BPFLUA_DEF_KEYED(NAME)                                                                \
	__BPFLUA_DEF_COUNT(NAME, increment, __bpflua_add_here, MISSING)                         \
	__BPFLUA_DEF_COUNT(NAME, atomic_increment, __bpflua_add, MISSING)                       \
	__BPFLUA_KEYED_TABLE(KIND, NAME, atomic_increment, INSERT)

#endif
