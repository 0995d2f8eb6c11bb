-- SPDX-License-Identifier: Apache-2.0
-- NAME a value that its struct's member does not hold
-- REQUIRES root, btf

local b = BPF{text = "struct limits { u32 low; u32 high; }; BPF_HASH(limits_of, u32, struct limits);"}
b.limits_of[1] = {low = 1, high = 2 ^ 32}
