-- SPDX-License-Identifier: Apache-2.0
-- NAME a kernel function that does not exist
-- REQUIRES root, btf

local b = BPF{text = [[
int on_read(struct pt_regs *ctx)
{
    return 0;
}
]]}
b:attach_kprobe{event = "vfs_raed", fn_name = "on_read"}
