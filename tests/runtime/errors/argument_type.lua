-- SPDX-License-Identifier: Apache-2.0
-- NAME an argument of the wrong type
-- REQUIRES root, btf

local b = BPF{text = "BPF_HASH(counts);"}
b:get_table(b.counts)
