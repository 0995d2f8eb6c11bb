-- SPDX-License-Identifier: Apache-2.0
-- NAME an option that attach_kprobe does not have
-- REQUIRES root, btf

local b = BPF{text = "int on_call(struct pt_regs *ctx) { return 0; }"}
b:attach_kprobe{event = "vfs_read", fn_nmae = "on_call"}
