/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Typed program entries: the macros of libbpf's programs, and the machinery that the probes of probes.h share. A program
 * gets an array of 64-bit arguments (fentry, fexit, LSM, raw tracepoints) or the registers (kprobes); the body gets typed
 * parameters. */
#ifndef BPFLUA_TRACING_H
#define BPFLUA_TRACING_H
#pragma clang system_header

/* The arguments of a body with N parameters, from context c. They go as pointers, because the parameter's type is known
 * only inside its declaration: an integer parameter takes the pointer's bits. */
#define __BPFLUA_ARGS0(c)
#define __BPFLUA_ARGS1(c) , (void *)(c)[0]
#define __BPFLUA_ARGS2(c) __BPFLUA_ARGS1(c), (void *)(c)[1]
#define __BPFLUA_ARGS3(c) __BPFLUA_ARGS2(c), (void *)(c)[2]
#define __BPFLUA_ARGS4(c) __BPFLUA_ARGS3(c), (void *)(c)[3]
#define __BPFLUA_ARGS5(c) __BPFLUA_ARGS4(c), (void *)(c)[4]
#define __BPFLUA_ARGS6(c) __BPFLUA_ARGS5(c), (void *)(c)[5]
#define __BPFLUA_ARGS7(c) __BPFLUA_ARGS6(c), (void *)(c)[6]
#define __BPFLUA_ARGS8(c) __BPFLUA_ARGS7(c), (void *)(c)[7]
#define __BPFLUA_ARGS9(c) __BPFLUA_ARGS8(c), (void *)(c)[8]
#define __BPFLUA_ARGS10(c) __BPFLUA_ARGS9(c), (void *)(c)[9]
#define __BPFLUA_ARGS11(c) __BPFLUA_ARGS10(c), (void *)(c)[10]
#define __BPFLUA_ARGS12(c) __BPFLUA_ARGS11(c), (void *)(c)[11]
#define __BPFLUA_REG_ARGS0(c)
#define __BPFLUA_REG_ARGS1(c) , (void *)PT_REGS_PARM1(c)
#define __BPFLUA_REG_ARGS2(c) __BPFLUA_REG_ARGS1(c), (void *)PT_REGS_PARM2(c)
#define __BPFLUA_REG_ARGS3(c) __BPFLUA_REG_ARGS2(c), (void *)PT_REGS_PARM3(c)
#define __BPFLUA_REG_ARGS4(c) __BPFLUA_REG_ARGS3(c), (void *)PT_REGS_PARM4(c)
#define __BPFLUA_REG_ARGS5(c) __BPFLUA_REG_ARGS4(c), (void *)PT_REGS_PARM5(c)
#define __BPFLUA_REG_ARGS6(c) __BPFLUA_REG_ARGS5(c), (void *)PT_REGS_PARM6(c)
#define __BPFLUA_SYS_ARG(c, n) , (void *)PT_REGS_PARM##n##_CORE_SYSCALL(PT_REGS_SYSCALL_REGS(c))
#define __BPFLUA_SYS_ARGS0(c)
#define __BPFLUA_SYS_ARGS1(c) __BPFLUA_SYS_ARG(c, 1)
#define __BPFLUA_SYS_ARGS2(c) __BPFLUA_SYS_ARGS1(c) __BPFLUA_SYS_ARG(c, 2)
#define __BPFLUA_SYS_ARGS3(c) __BPFLUA_SYS_ARGS2(c) __BPFLUA_SYS_ARG(c, 3)
#define __BPFLUA_SYS_ARGS4(c) __BPFLUA_SYS_ARGS3(c) __BPFLUA_SYS_ARG(c, 4)
#define __BPFLUA_SYS_ARGS5(c) __BPFLUA_SYS_ARGS4(c) __BPFLUA_SYS_ARG(c, 5)
#define __BPFLUA_SYS_ARGS6(c) __BPFLUA_SYS_ARGS5(c) __BPFLUA_SYS_ARG(c, 6)

/* One program. What stands before the macro (SEC("…") int) begins the declaration of NAME; NAME calls the body, which the
 * user's braces follow, with the values that VALUES(ctx) lists. */
#define __BPFLUA_PROGRAM(NAME, CTX, VALUES, ...)                                                      \
	NAME(CTX *ctx);                                                                               \
	static __always_inline typeof(NAME((CTX *)0)) __bpflua_body_##NAME(CTX *ctx, ##__VA_ARGS__);  \
	typeof(NAME((CTX *)0)) NAME(CTX *ctx)                                                         \
	{                                                                                             \
		_Pragma("clang diagnostic push")                                                      \
		_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                              \
		return __bpflua_body_##NAME(ctx VALUES(ctx));                                         \
		_Pragma("clang diagnostic pop")                                                       \
	}                                                                                             \
	static __always_inline typeof(NAME((CTX *)0)) __bpflua_body_##NAME(CTX *ctx, ##__VA_ARGS__)

#define BPF_PROG(name, ...)                                                                           \
	__BPFLUA_PROGRAM(name, unsigned long long,                                                    \
			 __BPFLUA_BY_COUNT(__BPFLUA_ARGS, ##__VA_ARGS__), ##__VA_ARGS__)

/* The same with each parameter's type and name apart by a comma: a struct of up to 16 bytes takes one or two of the
 * context's words. */
#define __BPFLUA_SLOTS(t) ((sizeof(t) + 7) / 8)
#define __BPFLUA_TYPED_ARG(c, at, t)                                                                  \
	({                                                                                            \
		_Static_assert(sizeof(t) <= 16, "a parameter of more than 16 bytes is not in the context"); \
		union {                                                                               \
			unsigned long long words[2];                                                  \
			t value;                                                                      \
		} __bpflua_arg;                                                                       \
		__bpflua_arg.words[0] = (c)[at];                                                      \
		__bpflua_arg.words[1] = __BPFLUA_SLOTS(t) > 1 ? (c)[(at) + __BPFLUA_SLOTS(t) - 1] : 0; \
		__bpflua_arg.value;                                                                   \
	})
#define __BPFLUA_TYPED_ARGS0(c, at)
#define __BPFLUA_TYPED_ARGS2(c, at, t, x) , __BPFLUA_TYPED_ARG(c, at, t)
#define __BPFLUA_TYPED_ARGS4(c, at, t, x, ...) , __BPFLUA_TYPED_ARG(c, at, t) __BPFLUA_TYPED_ARGS2(c, (at) + __BPFLUA_SLOTS(t), __VA_ARGS__)
#define __BPFLUA_TYPED_ARGS6(c, at, t, x, ...) , __BPFLUA_TYPED_ARG(c, at, t) __BPFLUA_TYPED_ARGS4(c, (at) + __BPFLUA_SLOTS(t), __VA_ARGS__)
#define __BPFLUA_TYPED_ARGS8(c, at, t, x, ...) , __BPFLUA_TYPED_ARG(c, at, t) __BPFLUA_TYPED_ARGS6(c, (at) + __BPFLUA_SLOTS(t), __VA_ARGS__)
#define __BPFLUA_TYPED_ARGS10(c, at, t, x, ...) , __BPFLUA_TYPED_ARG(c, at, t) __BPFLUA_TYPED_ARGS8(c, (at) + __BPFLUA_SLOTS(t), __VA_ARGS__)
#define __BPFLUA_TYPED_ARGS12(c, at, t, x, ...) , __BPFLUA_TYPED_ARG(c, at, t) __BPFLUA_TYPED_ARGS10(c, (at) + __BPFLUA_SLOTS(t), __VA_ARGS__)
#define __BPFLUA_TYPED_PARAMS0()
#define __BPFLUA_TYPED_PARAMS2(t, x) , t x
#define __BPFLUA_TYPED_PARAMS4(t, x, ...) , t x __BPFLUA_TYPED_PARAMS2(__VA_ARGS__)
#define __BPFLUA_TYPED_PARAMS6(t, x, ...) , t x __BPFLUA_TYPED_PARAMS4(__VA_ARGS__)
#define __BPFLUA_TYPED_PARAMS8(t, x, ...) , t x __BPFLUA_TYPED_PARAMS6(__VA_ARGS__)
#define __BPFLUA_TYPED_PARAMS10(t, x, ...) , t x __BPFLUA_TYPED_PARAMS8(__VA_ARGS__)
#define __BPFLUA_TYPED_PARAMS12(t, x, ...) , t x __BPFLUA_TYPED_PARAMS10(__VA_ARGS__)
#define BPF_PROG2(NAME, ...)                                                                          \
	NAME(unsigned long long *ctx);                                                                \
	static __always_inline typeof(NAME((unsigned long long *)0)) __bpflua_body_##NAME(            \
		unsigned long long *ctx __BPFLUA_BY_COUNT(__BPFLUA_TYPED_PARAMS, ##__VA_ARGS__)(__VA_ARGS__)); \
	typeof(NAME((unsigned long long *)0)) NAME(unsigned long long *ctx)                           \
	{                                                                                             \
		return __bpflua_body_##NAME(                                                          \
			ctx __BPFLUA_BY_COUNT(__BPFLUA_TYPED_ARGS, ##__VA_ARGS__)(ctx, 0, ##__VA_ARGS__)); \
	}                                                                                             \
	static __always_inline typeof(NAME((unsigned long long *)0)) __bpflua_body_##NAME(            \
		unsigned long long *ctx __BPFLUA_BY_COUNT(__BPFLUA_TYPED_PARAMS, ##__VA_ARGS__)(__VA_ARGS__))

#define BPF_KPROBE(name, ...)                                                                         \
	__BPFLUA_PROGRAM(name, struct pt_regs,                                                        \
			 __BPFLUA_BY_COUNT(__BPFLUA_REG_ARGS, ##__VA_ARGS__), ##__VA_ARGS__)
#define BPF_UPROBE(name, ...) BPF_KPROBE(name, ##__VA_ARGS__)

#define __BPFLUA_RC_ARGS0(c)
#define __BPFLUA_RC_ARGS1(c) , (void *)PT_REGS_RC(c)
#define BPF_KRETPROBE(name, ...)                                                                      \
	__BPFLUA_PROGRAM(name, struct pt_regs,                                                        \
			 __BPFLUA_BY_COUNT(__BPFLUA_RC_ARGS, ##__VA_ARGS__), ##__VA_ARGS__)
#define BPF_URETPROBE(name, ...) BPF_KRETPROBE(name, ##__VA_ARGS__)

/* The arguments of a system call, from the registers that its entry function was given. */
#define BPF_KSYSCALL(name, ...)                                                                       \
	__BPFLUA_PROGRAM(name, struct pt_regs,                                                        \
			 __BPFLUA_BY_COUNT(__BPFLUA_SYS_ARGS, ##__VA_ARGS__), ##__VA_ARGS__)
#define BPF_KPROBE_SYSCALL BPF_KSYSCALL

/* Open-coded iterators of kernels since 6.4. */
#ifndef __BPFLUA_KERNEL_HEADERS
struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));
#endif
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

#define __BPFLUA_NUM_ITER(start, end)                                                                 \
	struct bpf_iter_num __bpflua_it __attribute__((cleanup(bpf_iter_num_destroy))),               \
		*__bpflua_unused __attribute__((unused)) =                                            \
			(bpf_iter_num_new(&__bpflua_it, (start), (end)),                              \
			 (void)bpf_iter_num_destroy, (void *)0)
#define bpf_for(i, start, end)                                                                        \
	for (__BPFLUA_NUM_ITER(start, end); ({                                                        \
		     int *__bpflua_next = bpf_iter_num_next(&__bpflua_it);                            \
		     if (__bpflua_next)                                                               \
			     (i) = *__bpflua_next;                                                    \
		     __bpflua_next && (i) >= (start) && (i) < (end);                                  \
	     });)
#define bpf_repeat(n) for (__BPFLUA_NUM_ITER(0, n); bpf_iter_num_next(&__bpflua_it);)
#define bpf_for_each(type, cur, ...)                                                                  \
	for (struct bpf_iter_##type __bpflua_it __attribute__((cleanup(bpf_iter_##type##_destroy))),  \
		     *__bpflua_unused __attribute__((unused)) =                                       \
			     (bpf_iter_##type##_new(&__bpflua_it, ##__VA_ARGS__),                     \
			      (void)bpf_iter_##type##_destroy, (void *)0);                            \
	     ((cur) = bpf_iter_##type##_next(&__bpflua_it));)

#define bpf_tail_call_static(ctx, map, slot) ((void)bpf_tail_call(ctx, (void *)(map), slot))

#endif
