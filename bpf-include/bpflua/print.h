/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* bpf_trace_printk as bcc has it (format, up to three values) and as the kernel has it (format, size, values); with
 * more than three values, and up to twelve, the kernel's newer helper takes them as an array. */
#ifndef BPFLUA_PRINT_H
#define BPFLUA_PRINT_H
#pragma clang system_header

/* Values go into the array one by one: an initializer made of constants would become a constant of the object, with the
 * addresses of strings in it, which no loader relocates. */
#define __BPFLUA_FILL0(at)
#define __BPFLUA_FILL1(at, a) *(at) = (unsigned long long)(a);
#define __BPFLUA_FILL2(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL1((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL3(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL2((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL4(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL3((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL5(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL4((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL6(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL5((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL7(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL6((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL8(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL7((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL9(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL8((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL10(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL9((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL11(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL10((at) + 1, __VA_ARGS__)
#define __BPFLUA_FILL12(at, a, ...) *(at) = (unsigned long long)(a); __BPFLUA_FILL11((at) + 1, __VA_ARGS__)
#define __BPFLUA_VALUES(...)                                                                          \
	unsigned long long __bpflua_values[__BPFLUA_COUNT(__VA_ARGS__)];                              \
	__BPFLUA_BY_COUNT(__BPFLUA_FILL, ##__VA_ARGS__)(__bpflua_values, ##__VA_ARGS__)

#define __BPFLUA_PRINT_FEW(fmt, size, ...) __bpflua_trace_printk(fmt, size, ##__VA_ARGS__)
#define __BPFLUA_PRINT_MANY(fmt, size, ...)                                                          \
	({                                                                                           \
		__BPFLUA_VALUES(__VA_ARGS__)                                                         \
		bpf_trace_vprintk(fmt, size, __bpflua_values, sizeof(__bpflua_values));              \
	})
#define __BPFLUA_PRINT0 __BPFLUA_PRINT_FEW
#define __BPFLUA_PRINT1 __BPFLUA_PRINT_FEW
#define __BPFLUA_PRINT2 __BPFLUA_PRINT_FEW
#define __BPFLUA_PRINT3 __BPFLUA_PRINT_FEW
#define __BPFLUA_PRINT4 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT5 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT6 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT7 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT8 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT9 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT10 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT11 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT12 __BPFLUA_PRINT_MANY
#define __BPFLUA_PRINT_TOO_MANY(fmt, size, ...) \
	({ _Static_assert(0, "a line takes up to 12 values: more are given"); 0; })
#define __BPFLUA_PRINT13 __BPFLUA_PRINT_TOO_MANY
#define __BPFLUA_PRINT14 __BPFLUA_PRINT_TOO_MANY
#define __BPFLUA_PRINT15 __BPFLUA_PRINT_TOO_MANY
#define __BPFLUA_PRINT(fmt, size, ...) __BPFLUA_BY_COUNT(__BPFLUA_PRINT, ##__VA_ARGS__)(fmt, size, ##__VA_ARGS__)

/* The size argument is cast, because this branch is also type-checked when the format is a literal. */
#define __BPFLUA_SIZED0(fmt)                                                                          \
	({                                                                                            \
		__BPFLUA_MUST_HAVE_SIZE(fmt);                                                         \
		__BPFLUA_PRINT(fmt, sizeof(fmt));                                                     \
	})
#define __BPFLUA_MUST_HAVE_SIZE(fmt)                                                                  \
	_Static_assert(!__builtin_types_compatible_p(typeof(fmt), typeof(&(fmt)[0])),                 \
		       "the format is a literal or an array: how long it is cannot be told of a pointer")
#define __BPFLUA_SIZED(fmt, size, ...) __BPFLUA_PRINT(fmt, (unsigned int)(unsigned long)(size), ##__VA_ARGS__)
#define __BPFLUA_SIZED1 __BPFLUA_SIZED
#define __BPFLUA_SIZED2 __BPFLUA_SIZED
#define __BPFLUA_SIZED3 __BPFLUA_SIZED
#define __BPFLUA_SIZED4 __BPFLUA_SIZED
#define __BPFLUA_SIZED5 __BPFLUA_SIZED
#define __BPFLUA_SIZED6 __BPFLUA_SIZED
#define __BPFLUA_SIZED7 __BPFLUA_SIZED
#define __BPFLUA_SIZED8 __BPFLUA_SIZED
#define __BPFLUA_SIZED9 __BPFLUA_SIZED
#define __BPFLUA_SIZED10 __BPFLUA_SIZED
#define __BPFLUA_SIZED11 __BPFLUA_SIZED
#define __BPFLUA_SIZED12 __BPFLUA_SIZED
#define __BPFLUA_SIZED13 __BPFLUA_SIZED
#define __BPFLUA_SIZED14 __BPFLUA_SIZED
#define __BPFLUA_SIZED15 __BPFLUA_SIZED

/* Never called: clang compares the values with the format, which a null pointer keeps it from. */
extern void __bpflua_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define __BPFLUA_FORMAT(fmt, ...)                                                                     \
	do {                                                                                          \
		if (0)                                                                                \
			__bpflua_format(fmt, ##__VA_ARGS__);                                          \
	} while (0)

/* A literal is a constant expression, a char array is not. */
#define bpf_trace_printk(fmt, ...)                                                                    \
	({                                                                                            \
		__BPFLUA_FORMAT(__builtin_choose_expr(__builtin_constant_p(fmt), fmt, (void *)0),     \
				##__VA_ARGS__);                                                       \
		__builtin_choose_expr(__builtin_constant_p(fmt),                                      \
				      __BPFLUA_PRINT(fmt, sizeof(fmt), ##__VA_ARGS__),                \
				      __BPFLUA_BY_COUNT(__BPFLUA_SIZED, ##__VA_ARGS__)(fmt, ##__VA_ARGS__)); \
	})
#define bpf_printk(fmt, ...)                                                                          \
	({                                                                                            \
		__BPFLUA_MUST_HAVE_SIZE(fmt);                                                         \
		__BPFLUA_FORMAT(fmt, ##__VA_ARGS__);                                                  \
		__BPFLUA_PRINT(fmt, sizeof(fmt), ##__VA_ARGS__);                                      \
	})

#define BPF_SEQ_PRINTF(seq, fmt, ...)                                                                 \
	({                                                                                            \
		__BPFLUA_FORMAT(fmt, ##__VA_ARGS__);                                                  \
		__BPFLUA_VALUES(__VA_ARGS__)                                                          \
		bpf_seq_printf(seq, fmt, sizeof(fmt), __bpflua_values, sizeof(__bpflua_values));      \
	})
/* Into a program's own output stream, by a kernel function of 6.17. */
#define bpf_stream_printk(stream, fmt, ...)                                                           \
	({                                                                                            \
		__BPFLUA_FORMAT(fmt, ##__VA_ARGS__);                                                  \
		static const char __bpflua_fmt[] = fmt;                                               \
		__BPFLUA_VALUES(__VA_ARGS__)                                                          \
		bpf_stream_vprintk(stream, __bpflua_fmt, __bpflua_values, sizeof(__bpflua_values));   \
	})
#define BPF_SNPRINTF(out, size, fmt, ...)                                                             \
	({                                                                                            \
		__BPFLUA_FORMAT(fmt, ##__VA_ARGS__);                                                  \
		static const char __bpflua_fmt[] = fmt;                                               \
		__BPFLUA_VALUES(__VA_ARGS__)                                                          \
		bpf_snprintf(out, size, __bpflua_fmt, __bpflua_values, sizeof(__bpflua_values));      \
	})

#endif
