/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* bpf_trace_printk as bcc has it (format, up to three values) and as the kernel has it (format, size, values); with
 * more than three values, and up to twelve, the kernel's newer helper takes them as an array. */
#ifndef BPFLUA_PRINT_H
#define BPFLUA_PRINT_H
#pragma clang system_header

#define __BPFLUA_V(x) ((unsigned long long)(x))
#define __BPFLUA_V1(a) __BPFLUA_V(a)
#define __BPFLUA_V2(a, ...) __BPFLUA_V(a), __BPFLUA_V1(__VA_ARGS__)
#define __BPFLUA_V3(a, ...) __BPFLUA_V(a), __BPFLUA_V2(__VA_ARGS__)
#define __BPFLUA_V4(a, ...) __BPFLUA_V(a), __BPFLUA_V3(__VA_ARGS__)
#define __BPFLUA_V5(a, ...) __BPFLUA_V(a), __BPFLUA_V4(__VA_ARGS__)
#define __BPFLUA_V6(a, ...) __BPFLUA_V(a), __BPFLUA_V5(__VA_ARGS__)
#define __BPFLUA_V7(a, ...) __BPFLUA_V(a), __BPFLUA_V6(__VA_ARGS__)
#define __BPFLUA_V8(a, ...) __BPFLUA_V(a), __BPFLUA_V7(__VA_ARGS__)
#define __BPFLUA_V9(a, ...) __BPFLUA_V(a), __BPFLUA_V8(__VA_ARGS__)
#define __BPFLUA_V10(a, ...) __BPFLUA_V(a), __BPFLUA_V9(__VA_ARGS__)
#define __BPFLUA_V11(a, ...) __BPFLUA_V(a), __BPFLUA_V10(__VA_ARGS__)
#define __BPFLUA_V12(a, ...) __BPFLUA_V(a), __BPFLUA_V11(__VA_ARGS__)
#define __BPFLUA_VALUES(...) __BPFLUA_BY_COUNT(__BPFLUA_V, ##__VA_ARGS__)(__VA_ARGS__)

#define __BPFLUA_PRINT_FEW(fmt, size, ...) __bpflua_trace_printk(fmt, size, ##__VA_ARGS__)
#define __BPFLUA_PRINT_MANY(fmt, size, ...)                                                          \
	({                                                                                           \
		unsigned long long __bpflua_values[] = { __BPFLUA_VALUES(__VA_ARGS__) };             \
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
#define __BPFLUA_PRINT(fmt, size, ...) __BPFLUA_BY_COUNT(__BPFLUA_PRINT, ##__VA_ARGS__)(fmt, size, ##__VA_ARGS__)

/* The size argument is cast, because this branch is also type-checked when the format is a literal. */
#define __BPFLUA_SIZED0(fmt) __BPFLUA_PRINT(fmt, sizeof(fmt))
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

/* A literal is a constant expression, a char array is not. */
#define bpf_trace_printk(fmt, ...)                                                                    \
	__builtin_choose_expr(__builtin_constant_p(fmt),                                              \
			      __BPFLUA_PRINT(fmt, sizeof(fmt), ##__VA_ARGS__),                        \
			      __BPFLUA_BY_COUNT(__BPFLUA_SIZED, ##__VA_ARGS__)(fmt, ##__VA_ARGS__))
#define bpf_printk(fmt, ...) __BPFLUA_PRINT(fmt, sizeof(fmt), ##__VA_ARGS__)

#define BPF_SEQ_PRINTF(seq, fmt, ...)                                                                 \
	({                                                                                            \
		unsigned long long __bpflua_values[] = { 0, ##__VA_ARGS__ };                          \
		bpf_seq_printf(seq, fmt, sizeof(fmt), __bpflua_values + 1, sizeof(__bpflua_values) - 8); \
	})

#endif
