-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "The time that handlers of interrupts take, by name"
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], help = "seconds between two reports" },
  { name = "outputs", positional = true, type = "integer", range = [1, 1e9], help = "reports before it ends" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "nanoseconds", flags = "-N --nanoseconds", type = "flag", help = "show nanoseconds, too; histograms count them" },
  { name = "count", flags = "-C --count", type = "flag", help = "count events, not their time" },
  { name = "dist", flags = "-d --dist", type = "flag", help = "show histograms of the time" },
  { name = "cpu", flags = "-c --cpu", type = "integer", range = [0, 65535], help = "look at this CPU only" },
]
columns = [
  { name = "time", title = "TIME", width = 8, when = "timestamp" },
  { name = "name", title = "HARDIRQ", width = 26 },
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
attach = ["raw_tracepoint:irq_handler_entry", "raw_tracepoint:irq_handler_exit"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local irqs = require("bpflua.tool_irqs")
local tool = BPF.tool()
irqs.check(tool)

local TEXT = [[
#include <linux/interrupt.h>

#define NAME_SIZE 32

const volatile u32 only_cpu = -1;
const volatile bool with_hist = false;
const volatile u64 unit = 1000; // nanoseconds

struct name { char text[NAME_SIZE]; };
struct running {
    u64 since;
    struct name name;
};
struct total { u64 count, time; };
struct key {
    struct name name;
    u64 slot;
};
BPF_PERCPU_ARRAY(running, struct running, 1);
BPF_HASH(totals, struct name, struct total, 4096);
BPF_HISTOGRAM(dists, struct key, 16384);

RAW_TRACEPOINT_PROBE(irq_handler_entry)
{
    u32 zero = 0;
    struct running *now = running.lookup(&zero);
    if (!now || (only_cpu != (u32)-1 && bpf_get_smp_processor_id() != only_cpu))
        return 0;
    __builtin_memset(&now->name, 0, sizeof(now->name));
    struct irqaction *action = (struct irqaction *)ctx->args[1];
    bpf_probe_read_kernel_str(now->name.text, NAME_SIZE, action->name);
    now->since = bpf_ktime_get_ns();
    return 0;
}

RAW_TRACEPOINT_PROBE(irq_handler_exit)
{
    u32 zero = 0;
    u64 ended = bpf_ktime_get_ns();
    struct running *now = running.lookup(&zero);
    if (!now || !now->since)
        return 0;
    u64 time = ended - now->since;
    now->since = 0;
    struct total none = {}, *total = totals.lookup_or_try_init(&now->name, &none);
    if (total) {
        lock_xadd(&total->count, 1);
        lock_xadd(&total->time, time);
    }
    if (with_hist) {
        struct key key = { now->name, bpf_log2l(time / unit) };
        dists.atomic_increment(key);
    }
    return 0;
}
]]
local function name_of(key)
    return ffi.string(key.text)
end

irqs.run(tool, { says = "Tracing handlers of interrupts... Ctrl-C ends it", section = "hardirq", text = TEXT, name_of = name_of })
