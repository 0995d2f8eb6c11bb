#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hits.py: as benches/scripts/hits.lua, with bcc's Python."""
import time

from bcc import BPF

b = BPF(text="""
#include <uapi/linux/ptrace.h>
struct file;
BPF_ARRAY(count, u64, 1);
int hit(struct pt_regs *ctx, struct file *file)
{
    int zero = 0;
    u64 *value = count.lookup(&zero);
    if (value && file)
        *value += 1;
    return 0;
}
""")
b.attach_kprobe(event="vfs_read", fn_name="hit")
print("ready", flush=True)
time.sleep(1000)
