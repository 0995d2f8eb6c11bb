#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Prints a line for each new process or thread, from the fields of the kernel's trace pipe.
-- usage: hello_fields.lua [SECONDS]

local b = BPF{text = [[
int hello(void *ctx)
{
    bpf_trace_printk("Hello, World!\n");
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("clone"), fn_name = "hello"}

print(("%-18s %-16s %-7s %s"):format("TIME(s)", "COMM", "PID", "MESSAGE"))
BPF.interval(tonumber(arg[1] or 5), BPF.exit)
for task, pid, cpu, flags, ts, msg in b:each_trace_fields() do
    print(("%-18.9f %-16s %-7d %s"):format(ts, task, pid, msg))
end
