-- SPDX-License-Identifier: Apache-2.0
-- NAME a kernel function that must not be traced
-- REQUIRES root, btf, kprobes, x86_64

local b = BPF{text = [[
int on_entry(struct pt_regs *ctx)
{
    return 0;
}
]]}
b:attach_kprobe{event = "asm_exc_page_fault", fn_name = "on_entry"}
