-- SPDX-License-Identifier: Apache-2.0
-- NAME a map of maps whose inner map the C text does not have
-- REQUIRES root, btf

local b = BPF{text = [[
BPF_HASH(inner, u32, u64, 64);
BPF_ARRAY_OF_MAPS(outer, "iner", 8);
]]}
