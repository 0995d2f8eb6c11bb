/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The prelude: included by force before every probe text. See README.md for what each file gives. */
#ifndef BPFLUA_H
#define BPFLUA_H
#pragma clang system_header

/* The footer stringifies words; given on the command line they would be seen before the text could say otherwise. */
#ifdef BPF_LICENSE
#error "BPF_LICENSE belongs in the probe text (#define BPF_LICENSE words), not in the compiler flags"
#endif

/* With real kernel headers (--kernel-headers) types, constants and inline functions are theirs. */
#ifdef __BPFLUA_KERNEL_HEADERS
#include "bpflua/real_headers.h"
#else
#include "bpflua/types.h"
#endif
#include "bpflua/ptrace.h"

/* The compiler writes this file from the kernel's BTF, with only the types that the text needs. Constants come after
 * it, so that a macro and an enumerator of one name cannot meet. */
#if __has_include("bpflua/kernel.h")
#include "bpflua/kernel.h"
#else
#include "bpflua/fallback_enums.h"
#endif

#ifndef __BPFLUA_KERNEL_HEADERS
#include "bpflua/constants.h"
#endif
#include "bpflua/attributes.h"
#include "bpflua/helpers.h"
#include "bpflua/print.h"
#include "bpflua/core_read.h"
#include "bpflua/tracing.h"
#include "bpflua/dialect.h"
#include "bpflua/maps.h"
#include "bpflua/probes.h"

#endif
