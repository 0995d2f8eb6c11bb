-- SPDX-License-Identifier: Apache-2.0
-- NAME the stacks of a map that is no stack map
-- REQUIRES root, btf

local b = BPF{text = "BPF_HASH(counts);"}
for addr in b.counts:walk(1) do
    print(addr)
end
