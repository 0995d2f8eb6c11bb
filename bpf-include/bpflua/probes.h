/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Probes that a macro names. Each makes a program in the section that libbpf attaches it by. */
#ifndef BPFLUA_PROBES_H
#define BPFLUA_PROBES_H
#pragma clang system_header

/* The record's structure is written by the compiler from the tracepoint's format. */
#define TRACEPOINT_PROBE(category, event)                                                             \
	struct tracepoint__##category##__##event;                                                     \
	SEC("tracepoint/" #category "/" #event)                                                       \
	int tracepoint__##category##__##event(struct tracepoint__##category##__##event *args)

#define RAW_TRACEPOINT_PROBE(event)                                                                   \
	SEC("raw_tracepoint/" #event)                                                                 \
	int raw_tracepoint__##event(struct bpf_raw_tracepoint_args *ctx)

#endif
