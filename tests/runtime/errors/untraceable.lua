-- SPDX-License-Identifier: Apache-2.0
-- NAME a kernel function that must not be traced
-- REQUIRES root, btf, kprobes
-- VARIES with the kernel

local b = BPF{text = [[
int on_entry(struct pt_regs *ctx)
{
    return 0;
}
]]}
b:attach_kprobe{event = "irqentry_enter", fn_name = "on_entry"}
