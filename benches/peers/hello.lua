-- SPDX-License-Identifier: Apache-2.0
-- hello with bcc-lua: ready when the probe is attached.
return function(BPF)
    local b = BPF:new({ text = [[int hello(void *ctx) { bpf_trace_printk("hello\n"); return 0; }]] })
    b:attach_uprobe({ name = "c", sym = "getuid", fn_name = "hello" })
    io.write("ready\n")
    io.flush()
    os.execute("sleep 1000")
end
