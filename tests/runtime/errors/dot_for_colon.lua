-- SPDX-License-Identifier: Apache-2.0
-- NAME a dot in place of a colon
-- REQUIRES root, btf

local b = BPF{text = "int on_call(struct pt_regs *ctx) { return 0; }"}
b.attach_kprobe{event = "vfs_read", fn_name = "on_call"}
