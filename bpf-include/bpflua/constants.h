/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef BPFLUA_CONSTANTS_H
#define BPFLUA_CONSTANTS_H
#pragma clang system_header
#define TASK_COMM_LEN 16
#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#endif
