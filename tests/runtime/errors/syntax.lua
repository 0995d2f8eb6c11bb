-- SPDX-License-Identifier: Apache-2.0
-- NAME a slip in the C text, told with the line in this file
-- REQUIRES btf

BPF{text = [[
int on_call(struct pt_regs *ctx)
{
    u64 now = bpf_ktime_get_ns()
    return 0;
}
]]}
