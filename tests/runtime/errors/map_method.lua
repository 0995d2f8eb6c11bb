-- SPDX-License-Identifier: Apache-2.0
-- NAME a method that maps do not have
-- REQUIRES root, btf

local b = BPF{text = "BPF_HASH(counts);"}
for key in b.counts:itmes() do
    print(key)
end
