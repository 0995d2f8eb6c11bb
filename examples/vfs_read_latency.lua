#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Shows how long reads from files took, as a histogram in powers of two.
-- usage: vfs_read_latency.lua [SECONDS]

local b = BPF{text = [[
#include <uapi/linux/ptrace.h>

BPF_HASH(start, u32);
BPF_HISTOGRAM(dist);

int do_entry(struct pt_regs *ctx)
{
    u32 thread = bpf_get_current_pid_tgid();
    u64 now = bpf_ktime_get_ns();

    start.update(&thread, &now);
    return 0;
}

int do_return(struct pt_regs *ctx)
{
    u32 thread = bpf_get_current_pid_tgid();
    u64 *began = start.lookup(&thread);

    if (began) {
        u64 usecs = (bpf_ktime_get_ns() - *began) / 1000;
        dist.increment(bpf_log2l(usecs));
        start.delete(&thread);
    }
    return 0;
}
]]}
b:attach_kprobe{event = "vfs_read", fn_name = "do_entry"}
b:attach_kretprobe{event = "vfs_read", fn_name = "do_return"}

print("Tracing... Ctrl-C ends it")
BPF.sleep(tonumber(arg[1] or 5))
print()
b.dist:print_log2_hist("usecs")
