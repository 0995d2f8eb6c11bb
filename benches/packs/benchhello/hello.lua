-- SPDX-License-Identifier: Apache-2.0
--[==[ pack
summary = "Ready when the probe is attached"
[requires]
attach = ["uprobe:*"]
lua = ["io.flush"]
]==]
local b = BPF{ text = [[int hello(void *ctx) { bpf_trace_printk("hello\n"); return 0; }]] }
b:attach_uprobe{ name = "c", sym = "getuid", fn_name = "hello" }
print("ready")
io.flush()
b:run()
