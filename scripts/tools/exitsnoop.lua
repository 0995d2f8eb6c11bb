-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Processes as they end: how old they were, and why they ended"
description = """
A process is shown when its last thread ends, with its exit code or the signal that ended it. --per-thread shows each thread."""
parameters = [
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show the time of day" },
  { name = "utc", flags = "--utc", type = "flag", help = "show the time of day in UTC (with -t)" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "label", flags = "--label", metavar = "TEXT", help = "begin each line with this text" },
  { name = "failed", flags = "-x --failed", type = "flag", help = "show those that failed only" },
  { name = "per_thread", flags = "--per-thread", type = "flag", help = "show each thread" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME", width = 12, when = "timestamp" },
  { name = "label", width = 6, when = "label" },
  { name = "comm", title = "PCOMM", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "ppid", width = 7, type = "integer", right = false },
  { name = "tid", width = 7, type = "integer", right = false },
  { name = "age", title = "AGE(s)", width = 9, type = "number", decimals = 3, unit = "s" },
  { name = "code", width = 4, type = "integer" },
  { name = "signal", width = 8 },
  { name = "core", width = 5, type = "boolean" },
]
examples = [
  { run = "", help = "every process that ends" },
  { run = "-x -t", help = "those that failed, with the time of day" },
  { run = "-p 181 --per-thread", help = "the threads of process 181" },
]
[requires]
attach = ["raw_tracepoint:sched_process_exit"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

const volatile u32 only_pid = 0;
const volatile bool per_thread = false, only_failed = false;

struct event {
    u64 at, age;
    u32 pid, tid, ppid;
    int code;
    char comm[TASK_COMM_LEN];
};

BPF_PERF_OUTPUT(events);


RAW_TRACEPOINT_PROBE(sched_process_exit)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    struct event e = {};

    e.pid = task->tgid;
    e.tid = task->pid;
    if (only_pid && e.pid != only_pid)
        return 0;
    // `live` was counted down before: nothing is left of the process after its last thread.
    if (!per_thread && task->signal->live.counter != 0)
        return 0;
    // The code of a process is that of exit_group(2), which other threads may have called.
    e.code = task->exit_code;
    if (!per_thread && task->signal->group_exit_code)
        e.code = task->signal->group_exit_code;
    if (only_failed && e.code == 0)
        return 0;
    e.at = bpf_ktime_get_ns();
    e.age = e.at - (per_thread ? task->start_time : task->group_leader->start_time);
    e.ppid = task->real_parent->tgid;
    bpf_probe_read_kernel_str(e.comm, sizeof(e.comm), per_thread ? task->comm : task->group_leader->comm);
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}
]]

local b = BPF{
    text = TEXT,
    constants = { only_pid = args.pid, only_failed = args.failed, per_thread = args.per_thread },
}

b.events:open_perf_buffer(function(_, event)
    local signal = bit.band(event.code, 0x7f)
    tool:print({
        time = BPF.strftime(args.utc and "!%H:%M:%S.%L" or "%H:%M:%S.%L", event.at),
        label = args.label,
        comm = ffi.string(event.comm),
        pid = event.pid,
        ppid = event.ppid,
        tid = event.tid,
        age = tonumber(event.age) / 1e9,
        code = bit.band(bit.rshift(event.code, 8), 0xff),
        signal = signal ~= 0 and (BPF.signal_name(signal) or tostring(signal)) or nil,
        core = bit.band(event.code, 0x80) ~= 0,
    })
end)

tool:header()
tool:run({ duration = args.duration })
