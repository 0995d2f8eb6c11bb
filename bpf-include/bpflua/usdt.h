/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Arguments of USDT probes: bcc's bpf_usdt_readarg and libbpf's BPF_USDT and bpf_usdt_arg. The compiler includes this
 * file in texts that mention one of them, so that others do not carry its map.
 *
 * Where a probe's arguments are differs between the binaries it is in and between its locations in one of them. The host
 * reads that from the binary when it attaches, and puts it into the map as a record; the program finds the record by the
 * number that comes with the attachment. So an object serves every binary. Layouts and placeholders must be those of
 * the host (src/bpf/usdt). */
#ifndef BPFLUA_USDT_H
#define BPFLUA_USDT_H
#pragma clang system_header

#define BPF_USDT_MAX_ARG_CNT 12

#define __BPFLUA_USDT_BASE 1      /* a register is added */
#define __BPFLUA_USDT_INDEX 2     /* a second one, shifted */
#define __BPFLUA_USDT_INDEX_S32 4 /* of which the lower half counts, signed */
#define __BPFLUA_USDT_INDEX_U32 8 /* or unsigned */
#define __BPFLUA_USDT_MEMORY 16   /* the sum is the value's address in user memory */
#define __BPFLUA_USDT_SIGNED 32   /* the value is sign-extended */
#define __BPFLUA_USDT_BYTE2 64    /* the value begins at the register's second byte */
#define __BPFLUA_USDT_ADDRESS32 128 /* addresses have 32 bits */

struct __bpflua_usdt_argument {
	__u64 value; /* the constant, or what is added to the registers */
	__u16 base;  /* where in the context the registers are, in bytes */
	__u16 index;
	__u8 flags;
	__u8 size; /* of the value in bytes: 1 to 8; 0 for one that cannot be read */
	__u8 scale;
	__u8 unused;
};

struct __bpflua_usdt_record {
	__u64 cookie;
	__u32 count;
	__u32 unused;
	struct __bpflua_usdt_argument arguments[BPF_USDT_MAX_ARG_CNT];
};

/* The host makes larger ones as attachments need them. */
struct {
	__uint(type, __BPFLUA_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct __bpflua_usdt_record);
} __bpflua_usdt_records SEC(".maps");

/* Placeholders: the host finds these numbers in the instructions, and so learns which arguments a program reads; it
 * replaces them when it loads the program. That of the record becomes its number, or all ones for "ask the kernel"; that
 * of an argument its offset in the record. */
#define __BPFLUA_USDT_RECORD_NUMBER 0x75d70100
#define __BPFLUA_USDT_ARGUMENT_OFFSET 0x75d70200
#define __BPFLUA_PLACEHOLDER(number)                                          \
	({                                                                    \
		unsigned long __bpflua_number;                                \
		__asm__("%0 = %1" : "=r"(__bpflua_number) : "i"(number));     \
		__bpflua_number;                                              \
	})

static __always_inline struct __bpflua_usdt_record *__bpflua_usdt_record(void *ctx)
{
	unsigned long number = __BPFLUA_PLACEHOLDER(__BPFLUA_USDT_RECORD_NUMBER);
	if (number == -1UL)
		number = bpf_get_attach_cookie(ctx);
	__u32 key = number;
	return bpf_map_lookup_elem(&__bpflua_usdt_records, &key);
}

/* Nothing could be read: 0. The compiler must not know which number it is: a text that follows it as a pointer would tell
 * it that reading never fails, and it would leave out the tests that the verifier wants. */
static __always_inline int __bpflua_usdt_failed(long *result, int error)
{
	long nothing = 0;
	barrier_var(nothing);
	*result = nothing;
	return error;
}

static __always_inline int __bpflua_usdt_value(void *ctx, struct __bpflua_usdt_argument *argument, long *result)
{
	unsigned long value = argument->value, part = 0;
	unsigned int flags = argument->flags, size = argument->size;

	barrier_var(size);
	if (size == 0 || size > 8)
		return __bpflua_usdt_failed(result, -22); /* EINVAL */
	/* By helper, because the verifier takes only constant offsets into the context. */
	if (flags & __BPFLUA_USDT_BASE) {
		bpf_probe_read_kernel(&part, sizeof(part), ctx + argument->base);
		value += part;
	}
	if (flags & __BPFLUA_USDT_INDEX) {
		bpf_probe_read_kernel(&part, sizeof(part), ctx + argument->index);
		if (flags & __BPFLUA_USDT_INDEX_S32)
			part = (long)(int)part;
		else if (flags & __BPFLUA_USDT_INDEX_U32)
			part = (unsigned int)part;
		value += part << (argument->scale & 7);
	}
	if (flags & __BPFLUA_USDT_ADDRESS32)
		value = (unsigned int)value;
	if (flags & __BPFLUA_USDT_BYTE2)
		value >>= 8;
	if (flags & __BPFLUA_USDT_MEMORY) {
		part = 0;
		long failed = bpf_probe_read_user(&part, size, (void *)value);
		if (failed)
			return __bpflua_usdt_failed(result, failed);
		value = part;
	}
	/* A pointer, if it is one, to user memory whatever helper it was read by. */
	barrier_var(value);
	value <<= (64 - size * 8) & 63;
	*result = flags & __BPFLUA_USDT_SIGNED ? (long)value >> ((64 - size * 8) & 63) :
						 (long)(value >> ((64 - size * 8) & 63));
	return 0;
}

static __always_inline int __bpflua_usdt_at(void *ctx, unsigned long offset, long *result)
{
	struct __bpflua_usdt_record *record = __bpflua_usdt_record(ctx);
	if (!record)
		return __bpflua_usdt_failed(result, -2); /* ENOENT */
	/* The verifier takes no arithmetic on a pointer before it was tested, and LLVM likes to do it earlier. */
	barrier_var(record);
	return __bpflua_usdt_value(ctx, (void *)record + offset, result);
}

/* bcc: the argument with number n, from 1, into *target, which may be any integer or pointer. Gives 0, or below 0 when
 * the memory that it is in could not be read; *target is then 0. */
#define bpf_usdt_readarg(n, ctx, target)                                                              \
	({                                                                                            \
		_Static_assert(__builtin_constant_p(n) && (n) >= 1 && (n) <= BPF_USDT_MAX_ARG_CNT,    \
			       "the number of a USDT argument is a constant from 1 to 12");           \
		long __bpflua_value;                                                                  \
		int __bpflua_failed = __bpflua_usdt_at(                                               \
			(ctx), __BPFLUA_PLACEHOLDER(__BPFLUA_USDT_ARGUMENT_OFFSET + (n)), &__bpflua_value); \
		*(target) = (typeof(*(target)))__bpflua_value;                                        \
		__bpflua_failed;                                                                      \
	})
/* bcc: length bytes from where the argument points to. */
#define bpf_usdt_readarg_p(n, ctx, buffer, length)                                                    \
	({                                                                                            \
		void *__bpflua_pointer;                                                               \
		bpf_usdt_readarg(n, ctx, &__bpflua_pointer);                                          \
		(int)bpf_probe_read_user((buffer), (length), __bpflua_pointer);                       \
	})

/* libbpf: the argument with number n, from 0. */
static __always_inline int bpf_usdt_arg(struct pt_regs *ctx, __u64 n, long *result)
{
	struct __bpflua_usdt_record *record = __bpflua_usdt_record(ctx);
	if (!record)
		return __bpflua_usdt_failed(result, -3); /* ESRCH */
	barrier_var(record);
	barrier_var(n);
	if (n >= BPF_USDT_MAX_ARG_CNT)
		return __bpflua_usdt_failed(result, -2); /* ENOENT */
	if (n >= record->count)
		return __bpflua_usdt_failed(result, -2);
	barrier_var(n);
	return __bpflua_usdt_value(ctx, &record->arguments[n], result);
}

/* libbpf: bytes of the argument with number n, from 0. */
static __always_inline int bpf_usdt_arg_size(struct pt_regs *ctx, __u64 n)
{
	struct __bpflua_usdt_record *record = __bpflua_usdt_record(ctx);
	if (!record)
		return -3;
	barrier_var(record);
	barrier_var(n);
	if (n >= BPF_USDT_MAX_ARG_CNT)
		return -2;
	if (n >= record->count)
		return -2;
	barrier_var(n);
	return record->arguments[n].size ?: -22;
}

/* libbpf: how many arguments the probe has at this location. */
static __always_inline int bpf_usdt_arg_cnt(struct pt_regs *ctx)
{
	struct __bpflua_usdt_record *record = __bpflua_usdt_record(ctx);
	return record ? (int)record->count : -3;
}

/* libbpf: the number given as `cookie` when attaching. */
static __always_inline long bpf_usdt_cookie(struct pt_regs *ctx)
{
	struct __bpflua_usdt_record *record = __bpflua_usdt_record(ctx);
	return record ? (long)record->cookie : 0;
}

/* libbpf: a program whose parameters are the probe's arguments. */
#define __BPFLUA_USDT_ARG(c, n) \
	, ({ void *__bpflua_argument; bpf_usdt_readarg(n, c, &__bpflua_argument); __bpflua_argument; })
#define __BPFLUA_USDT_ARGS0(c)
#define __BPFLUA_USDT_ARGS1(c) __BPFLUA_USDT_ARG(c, 1)
#define __BPFLUA_USDT_ARGS2(c) __BPFLUA_USDT_ARGS1(c) __BPFLUA_USDT_ARG(c, 2)
#define __BPFLUA_USDT_ARGS3(c) __BPFLUA_USDT_ARGS2(c) __BPFLUA_USDT_ARG(c, 3)
#define __BPFLUA_USDT_ARGS4(c) __BPFLUA_USDT_ARGS3(c) __BPFLUA_USDT_ARG(c, 4)
#define __BPFLUA_USDT_ARGS5(c) __BPFLUA_USDT_ARGS4(c) __BPFLUA_USDT_ARG(c, 5)
#define __BPFLUA_USDT_ARGS6(c) __BPFLUA_USDT_ARGS5(c) __BPFLUA_USDT_ARG(c, 6)
#define __BPFLUA_USDT_ARGS7(c) __BPFLUA_USDT_ARGS6(c) __BPFLUA_USDT_ARG(c, 7)
#define __BPFLUA_USDT_ARGS8(c) __BPFLUA_USDT_ARGS7(c) __BPFLUA_USDT_ARG(c, 8)
#define __BPFLUA_USDT_ARGS9(c) __BPFLUA_USDT_ARGS8(c) __BPFLUA_USDT_ARG(c, 9)
#define __BPFLUA_USDT_ARGS10(c) __BPFLUA_USDT_ARGS9(c) __BPFLUA_USDT_ARG(c, 10)
#define __BPFLUA_USDT_ARGS11(c) __BPFLUA_USDT_ARGS10(c) __BPFLUA_USDT_ARG(c, 11)
#define __BPFLUA_USDT_ARGS12(c) __BPFLUA_USDT_ARGS11(c) __BPFLUA_USDT_ARG(c, 12)
#define BPF_USDT(name, ...)                                                                           \
	__BPFLUA_PROGRAM(name, struct pt_regs,                                                        \
			 __BPFLUA_BY_COUNT(__BPFLUA_USDT_ARGS, ##__VA_ARGS__), ##__VA_ARGS__)

#endif
