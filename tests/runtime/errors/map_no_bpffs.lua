-- SPDX-License-Identifier: Apache-2.0
-- NAME a map pinned where nothing can be pinned
-- REQUIRES root, btf

local b = BPF{text = 'BPF_TABLE_PINNED("hash", u32, u64, counts, 64, "/proc/bpflua/counts");'}
