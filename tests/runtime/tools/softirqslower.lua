#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- softirqslower.lua: soft interrupts that take longer than a limit, one line for each.

local parser = require("bpflua.utils").argparse("softirqslower.lua", "Soft interrupts that take longer than a limit")
parser:argument("min_us", "the limit in microseconds"):default("10000"):convert(tonumber):args("?")
parser:option("-d --duration", "seconds until it ends; until Ctrl-C unless given"):convert(tonumber)
local args = parser:parse()

local NAMES = { [0] = "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu" }

local b = BPF({ cflags = { "-DLIMIT_NS=" .. args.min_us * 1000 }, text = [[
struct slow_t { u64 ns; u32 vector, cpu; char comm[16]; };
BPF_PERCPU_ARRAY(since, u64, 16);
BPF_PERF_OUTPUT(slow);
TRACEPOINT_PROBE(irq, softirq_entry)
{
    u32 vector = args->vec;
    u64 now = bpf_ktime_get_ns();

    since.update(&vector, &now);
    return 0;
}
TRACEPOINT_PROBE(irq, softirq_exit)
{
    struct slow_t event = { .vector = args->vec, .cpu = bpf_get_smp_processor_id() };
    u64 *start = since.lookup(&event.vector);

    if (!start || !*start)
        return 0;
    event.ns = bpf_ktime_get_ns() - *start;
    *start = 0;
    if (event.ns < LIMIT_NS)
        return 0;
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    slow.perf_submit(args, &event, sizeof(event));
    return 0;
}
]] })
local columns = BPF.columns({ { "TIME", width = 8 }, { "CPU", width = 4 }, { "SOFTIRQ", width = 8 }, { "US", width = 10, right = true }, { "COMM", width = 16 } })
columns:header()
b.slow:open_perf_buffer(function(_, event)
    columns:row(BPF.strftime("%H:%M:%S"), event.cpu, NAMES[event.vector] or event.vector, ("%.1f"):format(tonumber(event.ns) / 1000), ("%s"):format(event.comm))
end)
io.flush()
BPF.run({ duration = args.duration })
