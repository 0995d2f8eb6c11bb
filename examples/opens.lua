#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Prints which process opens which file.
-- usage: opens.lua [SECONDS]

local b = BPF{text = [[
#include <linux/sched.h>

struct open_t {
    u32 pid;
    char comm[TASK_COMM_LEN];
    char file[128];
};
BPF_PERF_OUTPUT(opens);

TRACEPOINT_PROBE(syscalls, sys_enter_openat)
{
    struct open_t open = {};

    open.pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(&open.comm, sizeof(open.comm));
    bpf_probe_read_user_str(&open.file, sizeof(open.file), args->filename);
    opens.perf_submit(args, &open, sizeof(open));
    return 0;
}
]]}

print(("%-7s %-16s %s"):format("PID", "COMM", "FILE"))
b.opens:open_perf_buffer(function(cpu, open)
    print(("%-7d %-16s %s"):format(open.pid, open.comm, open.file))
end)

BPF.interval(tonumber(arg[1] or 5), BPF.exit)
while not BPF.stopped() do
    b:perf_buffer_poll()
end
