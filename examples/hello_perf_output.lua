#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Prints a line for each new process or thread, from typed events of a perf buffer.
-- usage: hello_perf_output.lua [SECONDS]

local b = BPF{text = [[
#include <linux/sched.h>

struct data_t {
    u32 pid;
    u64 ts;
    char comm[TASK_COMM_LEN];
};
BPF_PERF_OUTPUT(events);

int hello(struct pt_regs *ctx)
{
    struct data_t data = {};

    data.pid = bpf_get_current_pid_tgid() >> 32;
    data.ts = bpf_ktime_get_ns();
    bpf_get_current_comm(&data.comm, sizeof(data.comm));
    events.perf_submit(ctx, &data, sizeof(data));
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("clone"), fn_name = "hello"}

print(("%-18s %-16s %-7s %s"):format("TIME(s)", "COMM", "PID", "MESSAGE"))

local start
b.events:open_perf_buffer(function(cpu, event)
    start = start or event.ts
    local seconds = tonumber(event.ts - start) / 1e9
    print(("%-18.9f %-16s %-7d %s"):format(seconds, event.comm, event.pid, "Hello, perf_output!"))
end)

BPF.interval(tonumber(arg[1] or 5), BPF.exit)
while not BPF.stopped() do
    b:perf_buffer_poll()
end
