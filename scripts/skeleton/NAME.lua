-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Programs as they start"
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "pid", width = 7, type = "integer" },
  { name = "comm", width = 16 },
]
examples = [
  { run = "", help = "every program that starts" },
  { run = "-d 10", help = "those of ten seconds" },
]
[requires]
attach = ["tracepoint:sched:sched_process_exec"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()

local b = BPF{ text = [[
const volatile u32 only_pid = 0; // all

struct event {
    u32 pid;
    char comm[TASK_COMM_LEN];
};

BPF_PERF_OUTPUT(events);

TRACEPOINT_PROBE(sched, sched_process_exec)
{
    struct event event = { .pid = bpf_get_current_pid_tgid() >> 32 };
    if (only_pid && event.pid != only_pid)
        return 0;
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    events.perf_submit(args, &event, sizeof(event));
    return 0;
}
]], constants = { only_pid = tool.args.pid } }

b.events:open_perf_buffer(function(_, event)
    tool:print({ pid = event.pid, comm = ffi.string(event.comm) })
end)

tool:header()
tool:run({ duration = tool.args.duration })
