/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Macros of the kernel that its BTF cannot know, by topic. Names that are enumerators in BTF are not here: the compiler
 * writes those (fallback_enums.h has them for a kernel without BTF). */
#ifndef BPFLUA_CONSTANTS_H
#define BPFLUA_CONSTANTS_H
#pragma clang system_header

#include "bpflua/constants_kernel.h"
#include "bpflua/constants_errno.h"
#include "bpflua/constants_net.h"
#include "bpflua/constants_sock.h"
#include "bpflua/constants_fs.h"
#include "bpflua/constants_bpf.h"
#include "bpflua/constants_uapi_net.h"
#include "bpflua/constants_uapi_fs.h"
#include "bpflua/constants_uapi_process.h"
#include "bpflua/constants_sched.h"
#include "bpflua/constants_time.h"
#include "bpflua/constants_mm.h"
#include "bpflua/constants_vfs.h"
#include "bpflua/constants_block.h"
#include "bpflua/constants_tcpip.h"
#ifndef __BPFLUA_ENUMERATORS
#include "bpflua/constants_older.h"
#endif

#endif
