-- SPDX-License-Identifier: Apache-2.0
-- NAME an extern map that nobody made public
-- REQUIRES root, btf

local maker = BPF{text = 'BPF_TABLE_PUBLIC("hash", u32, u64, counts, 64);'}
local user = BPF{text = 'BPF_TABLE("extern", u32, u64, count, 64);'}
