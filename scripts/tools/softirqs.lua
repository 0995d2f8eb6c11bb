-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "The time that soft interrupts take, by name"
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], help = "seconds between two reports" },
  { name = "outputs", positional = true, type = "integer", range = [1, 1e9], help = "reports before it ends" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "nanoseconds", flags = "-N --nanoseconds", type = "flag", help = "show nanoseconds, too; histograms count them" },
  { name = "count", flags = "-C --events", type = "flag", help = "count events, not their time" },
  { name = "dist", flags = "-d --dist", type = "flag", help = "show histograms of the time" },
  { name = "cpu", flags = "-c --cpu", type = "integer", range = [0, 65535], help = "look at this CPU only" },
]
columns = [
  { name = "time", title = "TIME", width = 8, when = "timestamp" },
  { name = "name", title = "SOFTIRQ", width = 26 },
  { name = "count", title = "COUNT", width = 11, type = "integer" },
  { name = "total_us", title = "TOTAL_usecs", width = 14, type = "number", decimals = 0, unit = "us", when = "!count" },
  { name = "total_ns", title = "TOTAL_nsecs", width = 16, type = "integer", unit = "ns", when = "nanoseconds" },
]
examples = [
  { run = "", help = "until Ctrl-C" },
  { run = "-T 1 5", help = "five times, one second each" },
  { run = "-d 10 1", help = "histograms of ten seconds" },
]
[requires]
attach = ["raw_tracepoint:softirq_entry", "raw_tracepoint:softirq_exit"]
]==]

local irqs = require("bpflua.tool_irqs")
local tool = BPF.tool()
irqs.check(tool)

local TEXT = [[
const volatile u32 only_cpu = -1;
const volatile bool with_hist = false;
const volatile u64 unit = 1000; // nanoseconds

struct running {
    u64 since;
    u32 vector;
};
struct total { u64 count, time; };
struct key { u32 vector, slot; };
BPF_PERCPU_ARRAY(running, struct running, 1);
BPF_HASH(totals, u32, struct total, 64);
BPF_HISTOGRAM(dists, struct key, 4096);

RAW_TRACEPOINT_PROBE(softirq_entry)
{
    u32 zero = 0;
    struct running *now = running.lookup(&zero);
    if (!now || (only_cpu != (u32)-1 && bpf_get_smp_processor_id() != only_cpu))
        return 0;
    now->vector = ctx->args[0];
    now->since = bpf_ktime_get_ns();
    return 0;
}

RAW_TRACEPOINT_PROBE(softirq_exit)
{
    u32 zero = 0;
    u64 ended = bpf_ktime_get_ns();
    struct running *now = running.lookup(&zero);
    if (!now || !now->since)
        return 0;
    u64 time = ended - now->since;
    now->since = 0;
    u32 vector = now->vector;
    struct total none = {}, *total = totals.lookup_or_try_init(&vector, &none);
    if (total) {
        lock_xadd(&total->count, 1);
        lock_xadd(&total->time, time);
    }
    if (with_hist) {
        struct key key = { vector, bpf_log2l(time / unit) };
        dists.atomic_increment(key);
    }
    return 0;
}
]]

-- In the order of the kernel's numbers, as in /proc/softirqs.
local NAMES = { "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu" }

local function name_of(vector)
    return NAMES[tonumber(vector) + 1] or tostring(vector)
end

irqs.run(tool, { says = "Tracing soft interrupts... Ctrl-C ends it", section = "softirq", text = TEXT, name_of = name_of })
