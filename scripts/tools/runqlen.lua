-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How many threads wait for each CPU, sampled"
description = """
Looks 99 times a second how many threads are in the run queue of each CPU, the running one not counted."""
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], help = "seconds between two reports" },
  { name = "count", positional = true, type = "integer", range = [1, 1e9], help = "reports before it ends" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "runqocc", flags = "-O --runqocc", type = "flag", help = "show in how much of the time threads waited at all" },
  { name = "cpus", flags = "-C --cpus", type = "flag", help = "a report for each CPU" },
]
examples = [
  { run = "", help = "lengths of all run queues, until Ctrl-C" },
  { run = "-C 1 5", help = "of each CPU, five times, one second each" },
  { run = "-OC 1", help = "how often each CPU has a queue, every second" },
]
[outputs.occupancy]
help = "the share of the samples that found threads waiting (-O)"
columns = [
  { name = "time", title = "TIME", width = 8, when = "timestamp" },
  { name = "cpu", title = "CPU", width = 4, type = "integer", when = "cpus" },
  { name = "occupancy", title = "RUNQOCC%", width = 9, type = "number", decimals = 2, unit = "%" },
  { name = "samples", width = 9, type = "integer" },
]
[requires]
attach = ["perf_event:software:cpu-clock"]
]==]

local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

#define MOST 1023 // lengths beyond are counted as this

struct key { u32 cpu, slot; };
BPF_HISTOGRAM(dist, u32, 1024);
BPF_HISTOGRAM(dists, struct key, 65536);
const volatile bool by_cpu = false;

int sample(struct bpf_perf_event_data *ctx)
{
    // The run queue is found by way of the running thread, idle ones included, whatever its class is.
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    u32 length = task->se.cfs_rq->rq->nr_running;
    if (task->pid && length) // the running thread is not waiting
        length--;
    if (length > MOST)
        length = MOST;
    if (by_cpu) {
        struct key key = { bpf_get_smp_processor_id(), length };
        dists.atomic_increment(key);
    } else {
        dist.atomic_increment(length);
    }
    return 0;
}
]]

local b = BPF{ text = TEXT, constants = { by_cpu = args.cpus } }
b:attach_perf_event({
    ev_type = BPF.PerfType.SOFTWARE,
    ev_config = BPF.PerfSWConfig.CPU_CLOCK,
    fn_name = "sample",
    sample_freq = 99,
})

-- Samples, and those with a queue, by CPU; all in one when CPUs are not told apart.
local function print_occupancy(map)
    local rows, list = {}, {}
    for key, count in map:items() do
        local cpu, slot = args.cpus and key.cpu or -1, args.cpus and key.slot or tonumber(key)
        if not rows[cpu] then
            rows[cpu] = { cpu = cpu, samples = 0, queued = 0 }
            list[#list + 1] = rows[cpu]
        end
        rows[cpu].samples = rows[cpu].samples + tonumber(count)
        rows[cpu].queued = rows[cpu].queued + (slot > 0 and tonumber(count) or 0)
    end
    table.sort(list, function(x, y)
        return x.cpu < y.cpu
    end)
    for _, row in ipairs(list) do
        local share = row.samples > 0 and 100 * row.queued / row.samples or 0
        tool.out.occupancy:print({ time = os.date("%H:%M:%S"), cpu = row.cpu, occupancy = share, samples = row.samples })
    end
    map:clear()
end

tool:say("Sampling the lengths of run queues... Ctrl-C ends it")
tool:run({
    interval = args.interval,
    count = args.count,
    each = function()
        local map = args.cpus and b.dists or b.dist
        if args.runqocc then
            return print_occupancy(map)
        end
        tool:hist(map, {
            title = args.timestamp and os.date("%H:%M:%S") or nil,
            unit = "runqlen",
            section = "cpu",
            linear = true,
            clear = true,
        })
    end,
})
