-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Threads that waited long for a CPU, one by one"
description = """
The time from when a thread may run (it was woken, was created, or had to give its CPU away) until it runs."""
parameters = [
  { name = "min_us", positional = true, type = "integer", range = [0, 1e12], default = 10000, help = "microseconds; shorter waits are left out" },
  { name = "previous", flags = "-P --previous", type = "flag", help = "show who had the CPU before" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "look at this process only" },
  { name = "tid", flags = "-t --tid", type = "pid", help = "look at this thread only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME", width = 8 },
  { name = "comm", title = "COMM", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "tid", width = 7, type = "integer", right = false },
  { name = "latency", title = "LAT(us)", width = 10, type = "number", decimals = 0, unit = "us" },
  { name = "previous_comm", title = "PREV COMM", width = 16, when = "previous" },
  { name = "previous_tid", title = "PREV TID", width = 8, type = "integer", right = false, when = "previous" },
]
examples = [
  { run = "", help = "waits of ten milliseconds and more" },
  { run = "1000 -P", help = "of a millisecond and more, and who had the CPU" },
]
[requires]
attach = ["raw_tracepoint:sched_wakeup", "raw_tracepoint:sched_wakeup_new", "raw_tracepoint:sched_switch"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args
if args.pid and args.tid then
    tool:fail("cannot look at a process and a thread", "--pid and --tid exclude each other")
end

local TEXT = [[
#include <linux/sched.h>

const volatile u32 only_tgid = 0, only_tid = 0;
const volatile u64 shortest = 0; // nanoseconds

struct event {
    u64 waited; // nanoseconds
    u32 pid, tid, previous_tid;
    char comm[TASK_COMM_LEN], previous_comm[TASK_COMM_LEN];
};
BPF_HASH(waits_since, u32, u64, 65536);
BPF_PERF_OUTPUT(events);

static __always_inline int waits(struct task_struct *task)
{
    u32 tid = task->pid;
    u64 now = bpf_ktime_get_ns();
    if (tid && (!only_tgid || task->tgid == only_tgid) && (!only_tid || tid == only_tid))
        waits_since.update(&tid, &now);
    return 0;
}

static __always_inline bool may_run(struct task_struct *task)
{
    return (bpf_core_field_exists(task->state) ? task->state : task->__state) == 0;
}

RAW_TRACEPOINT_PROBE(sched_wakeup)
{
    return waits((struct task_struct *)ctx->args[0]);
}

RAW_TRACEPOINT_PROBE(sched_wakeup_new)
{
    return waits((struct task_struct *)ctx->args[0]);
}

RAW_TRACEPOINT_PROBE(sched_switch)
{
    struct task_struct *prev = (struct task_struct *)ctx->args[1], *next = (struct task_struct *)ctx->args[2];
    if (may_run(prev))
        waits(prev);

    u32 tid = next->pid;
    u64 *since = waits_since.lookup(&tid);
    if (!since)
        return 0;
    struct event event = { .waited = bpf_ktime_get_ns() - *since };
    waits_since.delete(&tid);
    if (event.waited < shortest)
        return 0;
    event.pid = next->tgid;
    event.tid = tid;
    event.previous_tid = prev->pid;
    bpf_probe_read_kernel_str(event.comm, sizeof(event.comm), next->comm);
    bpf_probe_read_kernel_str(event.previous_comm, sizeof(event.previous_comm), prev->comm);
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]

local b = BPF{
    text = TEXT,
    constants = { only_tgid = args.pid, only_tid = args.tid, shortest = args.min_us * 1000 },
}
b.events:open_perf_buffer(function(_, event)
    tool:print({
        time = os.date("%H:%M:%S"),
        comm = ffi.string(event.comm),
        pid = event.pid,
        tid = event.tid,
        latency = tonumber(event.waited) / 1000,
        previous_comm = ffi.string(event.previous_comm),
        previous_tid = event.previous_tid,
    })
end, { page_cnt = 64 })

tool:say(("Tracing waits for a CPU of %d us and more... Ctrl-C ends it"):format(args.min_us))
tool:header()
tool:run({ duration = args.duration })
