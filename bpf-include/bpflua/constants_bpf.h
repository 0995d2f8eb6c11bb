/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The uapi macros of bpf(2) that are no enumerators in some kernel's BTF, and those of the traced system's tables. */
#pragma clang system_header

#define BPF_OBJ_NAME_LEN 16U
#define BPF_BUILD_ID_SIZE 20
#define BPF_TAG_SIZE 8
#define PERF_MAX_STACK_DEPTH 127
#define TC_ACT_UNSPEC (-1)
#define TC_ACT_OK 0
#define TC_ACT_RECLASSIFY 1
#define TC_ACT_SHOT 2
#define TC_ACT_PIPE 3
#define TC_ACT_STOLEN 4
#define TC_ACT_QUEUED 5
#define TC_ACT_REPEAT 6
#define TC_ACT_REDIRECT 7
#define TC_ACT_TRAP 8
