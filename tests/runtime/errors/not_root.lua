-- SPDX-License-Identifier: Apache-2.0
-- NAME a user without rights
-- REQUIRES root, btf
-- AS nobody

local b = BPF{text = [[
int on_call(struct pt_regs *ctx)
{
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("clone"), fn_name = "on_call"}
