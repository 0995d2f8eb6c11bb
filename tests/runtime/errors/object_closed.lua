-- SPDX-License-Identifier: Apache-2.0
-- NAME a method of a closed object
-- REQUIRES root, btf

local b = BPF{text = "BPF_HASH(counts);"}
b:close()
print(#b:probes())
