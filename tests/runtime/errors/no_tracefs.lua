-- SPDX-License-Identifier: Apache-2.0
-- NAME tracefs is not mounted, and may not be
-- REQUIRES root, btf
-- AS without_tracefs_and_mount

local b = BPF{text = [[
int on_call(struct pt_regs *ctx)
{
    return 0;
}
]]}
b:trace_print()
