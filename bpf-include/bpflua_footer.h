/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Included after the probe text: the licence, from the words of `#define BPF_LICENSE words` or else GPL. A text that
 * has its own SEC("license") string comes first in the section, and the kernel is told the first. */
#pragma clang system_header

#define __BPFLUA_WORDS_(...) #__VA_ARGS__
#define __BPFLUA_WORDS(...) __BPFLUA_WORDS_(__VA_ARGS__)

#ifndef BPF_LICENSE
#define BPF_LICENSE GPL
#endif

char __bpflua_license[] __attribute__((section("license"), used)) = __BPFLUA_WORDS(BPF_LICENSE);
