-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How often processes miss the last level of the CPU's cache"
description = """
Samples the CPU's own counters of cache references and misses. Virtual machines seldom have them."""
parameters = [
  { name = "duration", positional = true, type = "duration", range = [0.01, 1e9], default = 10, help = "stop after so many seconds" },
  { name = "sample_period", flags = "-c --sample_period", type = "integer", range = [1, 1e12], default = 100, metavar = "N", help = "one sample every N events" },
  { name = "tid", flags = "-t --tid", type = "flag", help = "tell threads apart" },
]
columns = [
  { name = "pid", width = 8, type = "integer", right = false },
  { name = "tid", width = 8, type = "integer", right = false, when = "tid" },
  { name = "comm", title = "NAME", width = 16 },
  { name = "cpu", width = 4, type = "integer", right = false },
  { name = "references", title = "REFERENCE", width = 13, type = "integer" },
  { name = "misses", title = "MISS", width = 13, type = "integer" },
  { name = "hit_rate", title = "HIT%", width = 7, type = "number", decimals = 2, unit = "%" },
]
examples = [
  { run = "", help = "ten seconds" },
  { run = "-c 1000 -t 5", help = "a sample every 1,000 events, by thread, five seconds" },
]
[requires]
attach = ["perf_event:hardware:cache-references", "perf_event:hardware:cache-misses"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

const volatile bool by_thread = false;

struct key {
    u32 cpu, pid, tid;
    char comm[TASK_COMM_LEN];
};
struct counts { u64 references, misses; };
BPF_HASH(counts, struct key, struct counts, 65536);

static __always_inline struct counts *here(void)
{
    u64 id = bpf_get_current_pid_tgid();
    struct key key = { .cpu = bpf_get_smp_processor_id(), .pid = id >> 32, .tid = by_thread ? (u32)id : 0 };
    struct counts none = {};
    bpf_get_current_comm(key.comm, sizeof(key.comm));
    return counts.lookup_or_try_init(&key, &none);
}

// A sample stands for `sample_period` events, of a CPU's own: nobody else adds at the same time but an interrupt here.
int on_reference(struct bpf_perf_event_data *ctx)
{
    struct counts *counts = here();
    if (counts)
        lock_xadd(&counts->references, ctx->sample_period);
    return 0;
}

int on_miss(struct bpf_perf_event_data *ctx)
{
    struct counts *counts = here();
    if (counts)
        lock_xadd(&counts->misses, ctx->sample_period);
    return 0;
}
]]

local b = BPF{ text = TEXT, constants = { by_thread = args.tid } }
for fn_name, event in pairs({ on_reference = "CACHE_REFERENCES", on_miss = "CACHE_MISSES" }) do
    b:attach_perf_event({
        ev_type = BPF.PerfType.HARDWARE,
        ev_config = BPF.PerfHWConfig[event],
        fn_name = fn_name,
        sample_period = args.sample_period,
    })
end

local function print_counts()
    local rows, references, misses = {}, 0, 0
    for key, counts in b.counts:items() do
        local row = { pid = key.pid, tid = key.tid, comm = ffi.string(key.comm), cpu = key.cpu }
        row.references, row.misses = tonumber(counts.references), tonumber(counts.misses)
        -- Misses are sampled apart from references: rarely there are more.
        row.hit_rate = row.references > 0 and 100 * math.max(0, 1 - row.misses / row.references) or 0
        references, misses = references + row.references, misses + row.misses
        rows[#rows + 1] = row
    end
    table.sort(rows, function(x, y)
        return x.references < y.references
    end)
    for _, row in ipairs(rows) do
        tool:print(row)
    end
    local rate = references > 0 and 100 * math.max(0, 1 - misses / references) or 0
    tool:say(("Total References: %d Total Misses: %d Hit Rate: %.2f%%"):format(references, misses, rate))
end

tool:say(("Sampling the last-level cache for %g s... Ctrl-C ends it"):format(args.duration))
tool:run({ duration = args.duration, each = print_counts })
