/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Explicit reads and questions about types that the kernel answers at load time (CO-RE). */
#ifndef BPFLUA_CORE_READ_H
#define BPFLUA_CORE_READ_H
#pragma clang system_header

/* What __builtin_preserve_field_info and its siblings are asked; the names and numbers are the compiler's ABI. */
enum bpf_field_info_kind {
	BPF_FIELD_BYTE_OFFSET = 0,
	BPF_FIELD_BYTE_SIZE = 1,
	BPF_FIELD_EXISTS = 2,
	BPF_FIELD_SIGNED = 3,
	BPF_FIELD_LSHIFT_U64 = 4,
	BPF_FIELD_RSHIFT_U64 = 5,
};
enum bpf_type_id_kind { BPF_TYPE_ID_LOCAL = 0, BPF_TYPE_ID_TARGET = 1 };
enum bpf_type_info_kind { BPF_TYPE_EXISTS = 0, BPF_TYPE_SIZE = 1, BPF_TYPE_MATCHES = 2 };
enum bpf_enum_value_kind { BPF_ENUMVAL_EXISTS = 0, BPF_ENUMVAL_VALUE = 1 };

/* A field is an expression, or a type and a member. */
#define __BPFLUA_FIELD1(field) field
#define __BPFLUA_FIELD2(type, member) ((typeof(type) *)0)->member
#define __BPFLUA_FIELD(...) __BPFLUA_BY_COUNT(__BPFLUA_FIELD, __VA_ARGS__)(__VA_ARGS__)
#define bpf_core_field_exists(...) __builtin_preserve_field_info(__BPFLUA_FIELD(__VA_ARGS__), BPF_FIELD_EXISTS)
#define bpf_core_field_size(...) __builtin_preserve_field_info(__BPFLUA_FIELD(__VA_ARGS__), BPF_FIELD_BYTE_SIZE)
#define bpf_core_field_offset(...) __builtin_preserve_field_info(__BPFLUA_FIELD(__VA_ARGS__), BPF_FIELD_BYTE_OFFSET)
#ifdef __BPFLUA_KERNEL_HEADERS
/* What compiles against the kernel's own headers is there. */
#undef bpf_core_field_exists
#undef bpf_core_field_size
#undef bpf_core_field_offset
#define bpf_core_field_exists(...) ((void)sizeof(__BPFLUA_FIELD(__VA_ARGS__)), 1)
#define bpf_core_field_size(...) sizeof(__BPFLUA_FIELD(__VA_ARGS__))
#define bpf_core_field_offset(...) ((unsigned long)&(__BPFLUA_FIELD(__VA_ARGS__)))
#define bpf_core_type_exists(type) (sizeof(type) != 0)
#define bpf_core_type_size(type) sizeof(type)
#define bpf_core_enum_value_exists(type, value) ((void)(type)(value), 1)
#define bpf_core_enum_value(type, value) ((type)(value))
#else
#define bpf_core_type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, BPF_TYPE_ID_LOCAL)
#define bpf_core_type_id_kernel(type) __builtin_btf_type_id(*(typeof(type) *)0, BPF_TYPE_ID_TARGET)
#define bpf_core_type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_EXISTS)
#define bpf_core_type_matches(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_MATCHES)
#define bpf_core_type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_SIZE)
#define bpf_core_enum_value_exists(type, value) \
	__builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_EXISTS)
#define bpf_core_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_VALUE)
#endif
#define bpf_core_cast(ptr, type) ((typeof(type) *)bpf_rdonly_cast((ptr), bpf_core_type_id_kernel(type)))
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __weak __ksym;

#define bpf_core_read(dst, size, src) \
	bpf_probe_read_kernel(dst, size, (const void *)__builtin_preserve_access_index(src))
#define bpf_core_read_user(dst, size, src) \
	bpf_probe_read_user(dst, size, (const void *)__builtin_preserve_access_index(src))
#define bpf_core_read_str(dst, size, src) \
	bpf_probe_read_kernel_str(dst, size, (const void *)__builtin_preserve_access_index(src))
#define bpf_core_read_user_str(dst, size, src) \
	bpf_probe_read_user_str(dst, size, (const void *)__builtin_preserve_access_index(src))

/* READ(p, a.b) reads p->a.b by one of the above (or its plain twin); a chain is a nest of such reads. */
#define __BPFLUA_READ(HOW, p, member)                                                                 \
	({                                                                                            \
		__auto_type __bpflua_p = (p);                                                         \
		__typeof_unqual__(__bpflua_p->member) __bpflua_v;                                     \
		HOW(&__bpflua_v, sizeof(__bpflua_v), &__bpflua_p->member);                            \
		__bpflua_v;                                                                           \
	})
#define __BPFLUA_READ_INTO(HOW, dst, p, member)                                                       \
	({                                                                                            \
		__auto_type __bpflua_p = (p);                                                         \
		HOW((void *)(dst), sizeof(*(dst)), &__bpflua_p->member);                              \
	})

/* The last member goes to LAST, those before it to pointers on the way: one macro for each length of chain. */
#define __BPFLUA_CHAIN2(HOW, p, a) __BPFLUA_READ(HOW, p, a)
#define __BPFLUA_INTO3(LAST, HOW, dst, p, a) LAST(HOW, dst, p, a)
#define __BPFLUA_CHAIN3(HOW, p, a, b) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN2(HOW, p, a), b)
#define __BPFLUA_CHAIN4(HOW, p, a, b, c) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN3(HOW, p, a, b), c)
#define __BPFLUA_CHAIN5(HOW, p, a, b, c, d) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN4(HOW, p, a, b, c), d)
#define __BPFLUA_CHAIN6(HOW, p, a, b, c, d, e) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN5(HOW, p, a, b, c, d), e)
#define __BPFLUA_CHAIN7(HOW, p, a, b, c, d, e, f) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN6(HOW, p, a, b, c, d, e), f)
#define __BPFLUA_CHAIN8(HOW, p, a, b, c, d, e, f, g) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN7(HOW, p, a, b, c, d, e, f), g)
#define __BPFLUA_CHAIN9(HOW, p, a, b, c, d, e, f, g, h) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN8(HOW, p, a, b, c, d, e, f, g), h)
#define __BPFLUA_CHAIN10(HOW, p, a, b, c, d, e, f, g, h, i) \
	__BPFLUA_READ(HOW, __BPFLUA_CHAIN9(HOW, p, a, b, c, d, e, f, g, h), i)
#define __BPFLUA_INTO4(LAST, HOW, dst, p, a, b) \
	LAST(HOW, dst, __BPFLUA_CHAIN2(__BPFLUA_PTR_##HOW, p, a), b)
#define __BPFLUA_INTO5(LAST, HOW, dst, p, a, b, c) \
	LAST(HOW, dst, __BPFLUA_CHAIN3(__BPFLUA_PTR_##HOW, p, a, b), c)
#define __BPFLUA_INTO6(LAST, HOW, dst, p, a, b, c, d) \
	LAST(HOW, dst, __BPFLUA_CHAIN4(__BPFLUA_PTR_##HOW, p, a, b, c), d)
#define __BPFLUA_INTO7(LAST, HOW, dst, p, a, b, c, d, e) \
	LAST(HOW, dst, __BPFLUA_CHAIN5(__BPFLUA_PTR_##HOW, p, a, b, c, d), e)
#define __BPFLUA_INTO8(LAST, HOW, dst, p, a, b, c, d, e, f) \
	LAST(HOW, dst, __BPFLUA_CHAIN6(__BPFLUA_PTR_##HOW, p, a, b, c, d, e), f)
#define __BPFLUA_INTO9(LAST, HOW, dst, p, a, b, c, d, e, f, g) \
	LAST(HOW, dst, __BPFLUA_CHAIN7(__BPFLUA_PTR_##HOW, p, a, b, c, d, e, f), g)
#define __BPFLUA_INTO10(LAST, HOW, dst, p, a, b, c, d, e, f, g, h) \
	LAST(HOW, dst, __BPFLUA_CHAIN8(__BPFLUA_PTR_##HOW, p, a, b, c, d, e, f, g), h)
#define __BPFLUA_INTO11(LAST, HOW, dst, p, a, b, c, d, e, f, g, h, i) \
	LAST(HOW, dst, __BPFLUA_CHAIN9(__BPFLUA_PTR_##HOW, p, a, b, c, d, e, f, g, h), i)
/* A string is read by the string form at the end of the chain only. */
#define __BPFLUA_PTR_bpf_core_read bpf_core_read
#define __BPFLUA_PTR_bpf_core_read_user bpf_core_read_user
#define __BPFLUA_PTR_bpf_core_read_str bpf_core_read
#define __BPFLUA_PTR_bpf_core_read_user_str bpf_core_read_user
#define __BPFLUA_PTR_bpf_probe_read_kernel bpf_probe_read_kernel
#define __BPFLUA_PTR_bpf_probe_read_user bpf_probe_read_user
#define __BPFLUA_PTR_bpf_probe_read_kernel_str bpf_probe_read_kernel
#define __BPFLUA_PTR_bpf_probe_read_user_str bpf_probe_read_user

#define __BPFLUA_CHAIN(HOW, ...) __BPFLUA_BY_COUNT(__BPFLUA_CHAIN, __VA_ARGS__)(HOW, __VA_ARGS__)
#define __BPFLUA_INTO(HOW, ...) __BPFLUA_BY_COUNT(__BPFLUA_INTO, __VA_ARGS__)(__BPFLUA_READ_INTO, HOW, __VA_ARGS__)
#define BPF_CORE_READ(...) __BPFLUA_CHAIN(bpf_core_read, __VA_ARGS__)
#define BPF_CORE_READ_USER(...) __BPFLUA_CHAIN(bpf_core_read_user, __VA_ARGS__)
#define BPF_PROBE_READ(...) __BPFLUA_CHAIN(bpf_probe_read_kernel, __VA_ARGS__)
#define BPF_PROBE_READ_USER(...) __BPFLUA_CHAIN(bpf_probe_read_user, __VA_ARGS__)
#define BPF_CORE_READ_INTO(...) __BPFLUA_INTO(bpf_core_read, __VA_ARGS__)
#define BPF_CORE_READ_USER_INTO(...) __BPFLUA_INTO(bpf_core_read_user, __VA_ARGS__)
#define BPF_CORE_READ_STR_INTO(...) __BPFLUA_INTO(bpf_core_read_str, __VA_ARGS__)
#define BPF_CORE_READ_USER_STR_INTO(...) __BPFLUA_INTO(bpf_core_read_user_str, __VA_ARGS__)
#define BPF_PROBE_READ_INTO(...) __BPFLUA_INTO(bpf_probe_read_kernel, __VA_ARGS__)
#define BPF_PROBE_READ_USER_INTO(...) __BPFLUA_INTO(bpf_probe_read_user, __VA_ARGS__)
#define BPF_PROBE_READ_STR_INTO(...) __BPFLUA_INTO(bpf_probe_read_kernel_str, __VA_ARGS__)
#define BPF_PROBE_READ_USER_STR_INTO(...) __BPFLUA_INTO(bpf_probe_read_user_str, __VA_ARGS__)

/* Bit fields: read the bytes around it, then shift it to the top and down again. */
#define __BPFLUA_BITS(p, member, v)                                                                   \
	({                                                                                            \
		v <<= __builtin_preserve_field_info((p)->member, BPF_FIELD_LSHIFT_U64);               \
		__builtin_preserve_field_info((p)->member, BPF_FIELD_SIGNED)                          \
			? (unsigned long long)((long long)v >>                                        \
					       __builtin_preserve_field_info((p)->member,             \
									     BPF_FIELD_RSHIFT_U64))   \
			: v >> __builtin_preserve_field_info((p)->member, BPF_FIELD_RSHIFT_U64);      \
	})
#define __BPFLUA_AT(p, member) \
	((const void *)(p) + __builtin_preserve_field_info((p)->member, BPF_FIELD_BYTE_OFFSET))
#define BPF_CORE_READ_BITFIELD_PROBED(p, member)                                                      \
	({                                                                                            \
		unsigned long long __bpflua_bits = 0;                                                 \
		bpf_probe_read_kernel(&__bpflua_bits,                                                 \
				      __builtin_preserve_field_info((p)->member, BPF_FIELD_BYTE_SIZE), \
				      __BPFLUA_AT(p, member));                                        \
		__BPFLUA_BITS(p, member, __bpflua_bits);                                              \
	})
#define BPF_CORE_READ_BITFIELD(p, member)                                                             \
	({                                                                                            \
		unsigned long long __bpflua_bits = 0;                                                 \
		switch (__builtin_preserve_field_info((p)->member, BPF_FIELD_BYTE_SIZE)) {            \
		case 1: __bpflua_bits = *(const unsigned char *)__BPFLUA_AT(p, member); break;        \
		case 2: __bpflua_bits = *(const unsigned short *)__BPFLUA_AT(p, member); break;       \
		case 4: __bpflua_bits = *(const unsigned int *)__BPFLUA_AT(p, member); break;         \
		case 8: __bpflua_bits = *(const unsigned long long *)__BPFLUA_AT(p, member); break;   \
		}                                                                                     \
		__BPFLUA_BITS(p, member, __bpflua_bits);                                              \
	})
#define __BPFLUA_WRITE_UNIT(T, at, mask, bits) (*(T *)(at) = (*(T *)(at) & ~(mask)) | ((bits) & (mask)))
#define BPF_CORE_WRITE_BITFIELD(p, member, new_value)                                                 \
	({                                                                                            \
		void *__bpflua_at = (void *)__BPFLUA_AT(p, member);                                   \
		unsigned int __bpflua_left = __builtin_preserve_field_info((p)->member, BPF_FIELD_LSHIFT_U64); \
		unsigned int __bpflua_right = __builtin_preserve_field_info((p)->member, BPF_FIELD_RSHIFT_U64); \
		unsigned long long __bpflua_mask = ~0ULL << __bpflua_right >> __bpflua_left;          \
		unsigned long long __bpflua_new = (unsigned long long)(new_value)                     \
						  << (__bpflua_right - __bpflua_left);                \
		barrier_var(__bpflua_at);                                                             \
		switch (__builtin_preserve_field_info((p)->member, BPF_FIELD_BYTE_SIZE)) {            \
		case 1: __BPFLUA_WRITE_UNIT(unsigned char, __bpflua_at, __bpflua_mask, __bpflua_new); break; \
		case 2: __BPFLUA_WRITE_UNIT(unsigned short, __bpflua_at, __bpflua_mask, __bpflua_new); break; \
		case 4: __BPFLUA_WRITE_UNIT(unsigned int, __bpflua_at, __bpflua_mask, __bpflua_new); break; \
		case 8: __BPFLUA_WRITE_UNIT(unsigned long long, __bpflua_at, __bpflua_mask, __bpflua_new); break; \
		}                                                                                     \
	})

#endif
