/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Attributes and the small words of libbpf's programs. */
#ifndef BPFLUA_ATTRIBUTES_H
#define BPFLUA_ATTRIBUTES_H
#pragma clang system_header

#define SEC(name) __attribute__((section(name), used))

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((__noinline__))
#define noinline __attribute__((__noinline__))
#define __weak __attribute__((weak))
#define __hidden __attribute__((visibility("hidden")))
#define __maybe_unused __attribute__((unused))
#ifndef __BPFLUA_KERNEL_HEADERS
#define __unused __attribute__((unused))
#endif
#define __used __attribute__((used))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __user
#define __kernel
#define __force
#define __iomem
#define __rcu
#define __percpu
#define __bitwise
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __uptr __attribute__((btf_type_tag("uptr")))
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#define __arg_nullable __attribute__((btf_decl_tag("arg:nullable")))
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))
#define __arg_untrusted __attribute__((btf_decl_tag("arg:untrusted")))
#define __arg_arena __attribute__((btf_decl_tag("arg:arena")))
#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))

/* Fields of a map defined the libbpf way: struct { __uint(type, …); __type(key, …); … } name SEC(".maps"). */
#define __uint(name, value) int (*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]
#define __ulong(name, value) enum { __PASTE(__bpflua_ulong_, __COUNTER__) = value } name
#define ___PASTE(a, b) a##b
#define __PASTE(a, b) ___PASTE(a, b)

enum libbpf_pin_type { LIBBPF_PIN_NONE, LIBBPF_PIN_BY_NAME };
enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

#define barrier() __asm__ volatile("" ::: "memory")
#define barrier_var(var) __asm__ volatile("" : "+r"(var))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __bpf_unreachable() __builtin_trap()
#define bpf_ksym_exists(sym) (!!(sym))

/* The compiler expands these in place when the length is a constant. */
void *memcpy(void *dst, const void *src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* Number of macro arguments, up to 16, and the choice of a macro by it. */
#define __BPFLUA_NTH17(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, n, ...) n
#define __BPFLUA_COUNT(...) \
	__BPFLUA_NTH17(_, ##__VA_ARGS__, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define __BPFLUA_PASTE_(a, b) a##b
#define __BPFLUA_PASTE(a, b) __BPFLUA_PASTE_(a, b)
#define __BPFLUA_BY_COUNT(macro, ...) __BPFLUA_PASTE(macro, __BPFLUA_COUNT(__VA_ARGS__))

#endif
