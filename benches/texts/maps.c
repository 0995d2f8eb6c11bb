// SPDX-License-Identifier: Apache-2.0
/* Maps to read. */
#ifndef MOST
#define MOST 16384
#endif
BPF_HASH(counts, u32, u64, MOST);
BPF_PERCPU_HASH(per_cpu, u32, u64, 16384);
