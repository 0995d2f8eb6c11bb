#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hello with bcc's Python: ready when the probe is attached."""
import time

from bcc import BPF

b = BPF(text='int hello(void *ctx) { bpf_trace_printk("hello\\n"); return 0; }')
b.attach_uprobe(name="c", sym="getuid", fn_name="hello")
print("ready", flush=True)
time.sleep(1000)
