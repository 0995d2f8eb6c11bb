-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long threads wait for a CPU, as a histogram"
description = """
The time from when a thread may run (it was woken, was created, or had to give its CPU away) until it runs."""
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], help = "seconds between two histograms" },
  { name = "count", positional = true, type = "integer", range = [1, 1e9], help = "histograms before it ends" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "count milliseconds" },
  { name = "pids", flags = "-P --pids", type = "flag", help = "a histogram for each process" },
  { name = "tids", flags = "-L --tids", type = "flag", help = "a histogram for each thread" },
  { name = "pidnss", flags = "--pidnss", type = "flag", help = "a histogram for each PID namespace" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "look at this process only" },
]
examples = [
  { run = "", help = "all threads, until Ctrl-C" },
  { run = "-m 1 5", help = "milliseconds, five times, one second each" },
  { run = "-P -T 10", help = "by process, every ten seconds" },
]
[requires]
attach = ["raw_tracepoint:sched_wakeup", "raw_tracepoint:sched_wakeup_new", "raw_tracepoint:sched_switch"]
]==]

local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>

enum { BY_NOTHING, BY_PROCESS, BY_THREAD, BY_NAMESPACE };
const volatile u32 only_tgid = 0, by = BY_NOTHING;
const volatile u64 unit = 1000; // nanoseconds

struct key { u32 id, slot; };
BPF_HASH(waits_since, u32, u64, 65536);
BPF_HISTOGRAM(dist);
BPF_HISTOGRAM(dists, struct key, 32768);

static __always_inline int waits(struct task_struct *task)
{
    u32 tid = task->pid;
    u64 now = bpf_ktime_get_ns();
    if (tid && (!only_tgid || task->tgid == only_tgid))
        waits_since.update(&tid, &now);
    return 0;
}

static __always_inline bool may_run(struct task_struct *task)
{
    return (bpf_core_field_exists(task->state) ? task->state : task->__state) == 0;
}

static __always_inline u32 id_of(struct task_struct *task)
{
    if (by == BY_PROCESS)
        return task->tgid;
    if (by == BY_THREAD)
        return task->pid;
    struct pid *pid = task->thread_pid;
    unsigned int level = pid->level;
    return pid->numbers[level & 31].ns->ns.inum;
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
    u32 slot = bpf_log2l((bpf_ktime_get_ns() - *since) / unit);
    waits_since.delete(&tid);
    if (by == BY_NOTHING) {
        dist.atomic_increment(slot);
    } else {
        struct key key = { id_of(next), slot };
        dists.atomic_increment(key);
    }
    return 0;
}
]]

-- What histograms are of, the first that was asked for.
local BY = { { "pids", "pid" }, { "tids", "tid" }, { "pidnss", "pidns" } }
local by, section = 0, nil
for i, one in ipairs(BY) do
    if by == 0 and args[one[1]] then
        by, section = i, one[2]
    end
end

local b = BPF{
    text = TEXT,
    constants = { only_tgid = args.pid, by = by, unit = args.milliseconds and 1000000 or 1000 },
}

tool:say("Tracing the waits for a CPU... Ctrl-C ends it")
tool:run({
    interval = args.interval,
    count = args.count,
    each = function()
        tool:hist(by == 0 and b.dist or b.dists, {
            title = args.timestamp and os.date("%H:%M:%S") or nil,
            unit = args.milliseconds and "msecs" or "usecs",
            section = section,
            clear = true,
        })
    end,
})
