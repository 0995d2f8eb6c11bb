#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- wqlat.lua: how long work waits in the kernel's queues before a worker takes it.

local parser = require("bpflua.utils").argparse("wqlat.lua", "How long work waits in the kernel's queues, as a histogram")
parser:argument("seconds", "until it ends; until Ctrl-C unless given"):convert(tonumber):args("?")
parser:flag("-N --nanoseconds", "in nanoseconds, not microseconds")
local args = parser:parse()

local b = BPF({ cflags = { "-DDIVISOR=" .. (args.nanoseconds and 1 or 1000) }, text = [[
BPF_HASH(queued, u64, u64, 10240);
BPF_HISTOGRAM(waits);
TRACEPOINT_PROBE(workqueue, workqueue_activate_work)
{
    u64 work = (u64)args->work, now = bpf_ktime_get_ns();

    queued.update(&work, &now);
    return 0;
}
TRACEPOINT_PROBE(workqueue, workqueue_execute_start)
{
    u64 work = (u64)args->work, *since = queued.lookup(&work);

    if (!since)
        return 0;
    waits.atomic_increment(bpf_log2l((bpf_ktime_get_ns() - *since) / DIVISOR));
    queued.delete(&work);
    return 0;
}
]] })
print("Tracing the waits of work... Ctrl-C ends it")
io.flush()
BPF.run({ duration = args.seconds })
b.waits:print_log2_hist(args.nanoseconds and "nsecs" or "usecs")
