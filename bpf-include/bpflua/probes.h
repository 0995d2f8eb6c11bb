/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Probes that a macro names. Each makes a program in the section that libbpf attaches it by, under the name that bcc's
 * prefixes give it. */
#ifndef BPFLUA_PROBES_H
#define BPFLUA_PROBES_H
#pragma clang system_header

/* The record's structure is written by the compiler from the tracepoint's format; args is also the context. */
#define TRACEPOINT_PROBE(category, event)                                                             \
	struct tracepoint__##category##__##event;                                                     \
	SEC("tracepoint/" #category "/" #event)                                                       \
	int tracepoint__##category##__##event(struct tracepoint__##category##__##event *args)

struct bpf_raw_tracepoint_args;
#define RAW_TRACEPOINT_PROBE(event)                                                                   \
	SEC("raw_tracepoint/" #event)                                                                 \
	int raw_tracepoint__##event(struct bpf_raw_tracepoint_args *ctx)

/* Functions of the kernel by BTF: typed parameters, up to twelve; in KRETFUNC_PROBE the last one is the return value,
 * and so it is in KMOD_RET, whose own result replaces it. */
#define KFUNC_PROBE(event, ...) \
	SEC("fentry/" #event) int BPF_PROG(kfunc__vmlinux__##event, ##__VA_ARGS__)
#define KRETFUNC_PROBE(event, ...) \
	SEC("fexit/" #event) int BPF_PROG(kretfunc__vmlinux__##event, ##__VA_ARGS__)
#define MODULE_KFUNC_PROBE(module, event, ...) \
	SEC("fentry/" #module ":" #event) int BPF_PROG(kfunc__##module##__##event, ##__VA_ARGS__)
#define MODULE_KRETFUNC_PROBE(module, event, ...) \
	SEC("fexit/" #module ":" #event) int BPF_PROG(kretfunc__##module##__##event, ##__VA_ARGS__)
#define KMOD_RET(event, ...) \
	SEC("fmod_ret/" #event) int BPF_PROG(kmod_ret__##event, ##__VA_ARGS__)
#define LSM_PROBE(event, ...) \
	SEC("lsm/" #event) int BPF_PROG(lsm__##event, ##__VA_ARGS__)

#define BPF_ITER(target)                                                                              \
	struct bpf_iter__##target;                                                                    \
	SEC("iter/" #target)                                                                          \
	int bpf_iter__##target(struct bpf_iter__##target *ctx)

#endif
