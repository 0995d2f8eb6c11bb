-- SPDX-License-Identifier: Apache-2.0
-- NAME methods that a map does not have, and wrong numbers of arguments
-- REQUIRES root, btf

local b = BPF{text = [[
BPF_HASH(counts, u32);
BPF_TABLE("array", int, u64, slots, 8);

int on_call(struct pt_regs *ctx)
{
    u32 key = 0;

    slots.push(&key, 0);
    counts.update(&key);
    return counts.get_stackid(ctx, 0);
}
]]}
