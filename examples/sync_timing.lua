#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Tells when sync is called twice within a second, and how long ago the first call was.
-- usage: sync_timing.lua [SECONDS]

local b = BPF{text = [[
BPF_HASH(last);

int do_trace(struct pt_regs *ctx)
{
    u64 now, *earlier, key = 0;

    now = bpf_ktime_get_ns();
    earlier = last.lookup(&key);
    if (earlier != NULL) {
        u64 delta = now - *earlier;
        if (delta < 1000000000)
            bpf_trace_printk("%llu\n", delta / 1000000);
        last.delete(&key);
    }
    last.update(&key, &now);
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("sync"), fn_name = "do_trace"}

print("Tracing for quick syncs... Ctrl-C ends it")
BPF.interval(tonumber(arg[1] or 5), BPF.exit)
local first
for _, _, _, _, ts, ms in b:each_trace_fields() do
    first = first or ts
    print(("At time %.2f s: multiple syncs detected, last %s ms ago"):format(ts - first, ms))
end
