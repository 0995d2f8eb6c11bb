#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Counts which task gave the processor to which, for a second.
-- usage: task_switch.lua [SECONDS]

local b = BPF{text = [[
#include <uapi/linux/ptrace.h>
#include <linux/sched.h>

struct key_t {
    u32 prev_pid;
    u32 curr_pid;
};
BPF_HASH(stats, struct key_t, u64, 1024);

int count_sched(struct pt_regs *ctx, struct task_struct *prev)
{
    struct key_t key = {};

    key.curr_pid = bpf_get_current_pid_tgid();
    key.prev_pid = prev->pid;
    stats.increment(key);
    return 0;
}
]]}
b:attach_kprobe{
    event_re = "^finish_task_switch$|^finish_task_switch\\.isra\\.\\d$",
    fn_name = "count_sched",
}

BPF.sleep(tonumber(arg[1] or 1))

local switches = {}
for key, count in b.stats:items() do
    table.insert(switches, {prev = key.prev_pid, curr = key.curr_pid, count = tonumber(count)})
end
table.sort(switches, function(x, y)
    if x.count ~= y.count then return x.count > y.count end
    if x.prev ~= y.prev then return x.prev < y.prev end
    return x.curr < y.curr
end)
for _, s in ipairs(switches) do
    print(("task_switch[%5d->%5d]=%d"):format(s.prev, s.curr, s.count))
end
