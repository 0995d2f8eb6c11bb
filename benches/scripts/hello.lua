-- SPDX-License-Identifier: Apache-2.0
-- hello: ready when the probe is attached.
local b = BPF{ text = [[int hello(void *ctx) { bpf_trace_printk("hello\n"); return 0; }]] }
b:attach_uprobe{ name = "c", sym = "getuid", fn_name = "hello" }
print("ready")
io.flush()
b:run()
