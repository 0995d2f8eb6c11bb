#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Says hello whenever the scheduler has switched to another task. The function's name alone attaches it.
-- usage: hello.lua [SECONDS]

local b = BPF{text = [[
int kprobe__finish_task_switch(struct pt_regs *ctx)
{
    bpf_trace_printk("Hello, World!\n");
    return 0;
}
]]}

BPF.interval(tonumber(arg[1] or 5), BPF.exit)
b:trace_print()
