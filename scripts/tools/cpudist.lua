-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long threads run on a CPU, or are off it, as a histogram"
description = """
On a CPU: from when a thread gets it until it gives it away. Off CPU (-O): from then until it runs again, whether it slept or waited."""
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], help = "seconds between two histograms" },
  { name = "count", positional = true, type = "integer", range = [1, 1e9], help = "histograms before it ends" },
  { name = "offcpu", flags = "-O --offcpu", type = "flag", help = "measure the time off the CPU" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "count milliseconds" },
  { name = "pids", flags = "-P --pids", type = "flag", help = "a histogram for each process" },
  { name = "tids", flags = "-L --tids", type = "flag", help = "a histogram for each thread" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "look at this process only" },
  { name = "include_idle", flags = "-I --include-idle", type = "flag", help = "count idle CPUs, too" },
  { name = "extension", flags = "-e --extension", type = "flag", help = "show the average, the total and the count" },
]
examples = [
  { run = "", help = "time on the CPU, until Ctrl-C" },
  { run = "-O -m 1 5", help = "milliseconds off it, five times, one second each" },
  { run = "-P -e 10", help = "by process, with averages, every ten seconds" },
]
[outputs.totals]
help = "the average and the total (-e)"
columns = [
  { name = "id", title = "ID", width = 7, type = "integer" },
  { name = "average", title = "AVERAGE(us)", width = 12, type = "number", decimals = 1, unit = "us" },
  { name = "total", title = "TOTAL(us)", width = 14, type = "number", decimals = 0, unit = "us" },
  { name = "count", width = 10, type = "integer" },
]
[requires]
attach = ["raw_tracepoint:sched_switch"]
]==]

local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

enum { BY_NOTHING, BY_PROCESS, BY_THREAD };
const volatile u32 only_tgid = 0, by = BY_NOTHING;
const volatile u64 unit = 1000; // nanoseconds
const volatile bool off_cpu = false, with_idle = false;

struct key { u32 id, slot; };
struct totals { u64 time, count; };
BPF_HASH(since, u32, u64, 131072);
BPF_HISTOGRAM(dist);
BPF_HISTOGRAM(dists, struct key, 32768);
BPF_HASH(sums, u32, struct totals, 32768);

// Every CPU has an idle thread of its own, all of number 0.
static __always_inline u32 thread_of(struct task_struct *task)
{
    u32 tid = task->pid;
    return tid ?: 0x80000000 | bpf_get_smp_processor_id();
}

static __always_inline bool is_wanted(struct task_struct *task)
{
    return only_tgid ? task->tgid == only_tgid : with_idle || task->pid;
}

static __always_inline bool is_dead(struct task_struct *task)
{
    long state = bpf_core_field_exists(task->state) ? task->state : task->__state;
    return state & 0x80; // TASK_DEAD: it never runs again
}

static __always_inline void begins(struct task_struct *task, u64 now)
{
    u32 thread = thread_of(task);
    if (is_wanted(task))
        since.update(&thread, &now);
}

static __always_inline void ends(struct task_struct *task, u64 now)
{
    u32 thread = thread_of(task);
    u64 *began = since.lookup(&thread);
    if (!began || !is_wanted(task))
        return;
    u64 time = now - *began;
    since.delete(&thread);
    u32 id = by == BY_PROCESS ? task->tgid : by == BY_THREAD ? task->pid : 0;
    if (by == BY_NOTHING) {
        dist.atomic_increment(bpf_log2l(time / unit));
    } else {
        struct key key = { id, bpf_log2l(time / unit) };
        dists.atomic_increment(key);
    }
    struct totals none = {}, *sum = sums.lookup_or_try_init(&id, &none);
    if (sum) {
        lock_xadd(&sum->time, time);
        lock_xadd(&sum->count, 1);
    }
}

RAW_TRACEPOINT_PROBE(sched_switch)
{
    struct task_struct *prev = (struct task_struct *)ctx->args[1], *next = (struct task_struct *)ctx->args[2];
    u64 now = bpf_ktime_get_ns();
    if (!off_cpu) {
        ends(prev, now);
        begins(next, now);
        return 0;
    }
    if (!is_dead(prev))
        begins(prev, now);
    ends(next, now);
    return 0;
}
]]

local by = args.pids and 1 or args.tids and 2 or 0
local b = BPF{
    text = TEXT,
    constants = {
        only_tgid = args.pid,
        by = by,
        unit = args.milliseconds and 1000000 or 1000,
        off_cpu = args.offcpu,
        with_idle = args.include_idle,
    },
}

local function print_totals()
    local rows = {}
    for id, sum in b.sums:drain() do
        local time, count = tonumber(sum.time) / 1000, tonumber(sum.count)
        rows[#rows + 1] = { id = by > 0 and id or nil, average = time / count, total = time, count = count }
    end
    table.sort(rows, function(x, y)
        return x.total > y.total
    end)
    for _, row in ipairs(rows) do
        tool.out.totals:print(row)
    end
end

tool:say(("Tracing the time %s the CPU... Ctrl-C ends it"):format(args.offcpu and "off" or "on"))
tool:run({
    interval = args.interval,
    count = args.count,
    each = function()
        tool:hist(by == 0 and b.dist or b.dists, {
            title = args.timestamp and os.date("%H:%M:%S") or nil,
            unit = args.milliseconds and "msecs" or "usecs",
            section = by == 1 and "pid" or "tid",
            clear = true,
        })
        if args.extension then
            print_totals()
        else
            b.sums:clear()
        end
    end,
})
