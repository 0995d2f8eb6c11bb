-- SPDX-License-Identifier: Apache-2.0
-- NAME a map put into a map of maps that was made for others
-- REQUIRES root, btf

local b = BPF{text = [[
BPF_HASH(inner, u32, u64, 64);
BPF_HASH(other, u32, u32, 64);
BPF_ARRAY_OF_MAPS(outer, "inner", 8);
]]}
b.outer[0] = b.inner
b.outer[1] = b.other
