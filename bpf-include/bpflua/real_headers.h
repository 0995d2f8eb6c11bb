/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the dialect takes from a kernel's real headers, where a text is compiled against those. They were configured for
 * another compiler, and for machine code rather than BPF. */
#ifndef BPFLUA_REAL_HEADERS_H
#define BPFLUA_REAL_HEADERS_H
#pragma clang system_header

#ifndef CONFIG_CC_IS_CLANG
#define CONFIG_CC_IS_CLANG 1
#endif
#undef CONFIG_CC_IS_GCC
/* Bytes are swapped by the compiler, not by instructions of the machine. */
#define __HAVE_BUILTIN_BSWAP16__ 1
#define __HAVE_BUILTIN_BSWAP32__ 1
#define __HAVE_BUILTIN_BSWAP64__ 1
/* How the kernel's functions were made traceable, which asm/ftrace.h wants to know of its compiler. */
#define CC_USING_FENTRY 1
#define MODULE 1

#include <linux/compiler_types.h>
#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/version.h>
#include <uapi/linux/bpf.h>
#include <asm/ptrace.h>

/* An offset in these headers is the offset in the kernel that they belong to: there is nothing to relocate. */
#define __builtin_preserve_access_index(x) (x)
#endif
