-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Who wakes sleeping threads, and how long they slept, by the stack of the waker"
description = """
From when a thread leaves its CPU until another thread, or an interrupt, wakes it. The stack is that of the waker: it shows what
the sleeping thread waited for."""
parameters = [
  { name = "duration", positional = true, type = "duration", range = [0.01, 1e9], help = "stop after so many seconds" },
  { name = "user_threads", flags = "-u --useronly", type = "flag", help = "look at sleeping threads of processes only" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "look at sleeping threads of this process only" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "show addresses, too" },
  { name = "stack_storage_size", flags = "--stack-storage-size", type = "integer", range = [1, 1e8], default = 16384, metavar = "N", help = "different stacks at most" },
  { name = "min_block_time", flags = "-m --min-block-time", type = "integer", range = [0, 1e15], default = 1, metavar = "US", help = "microseconds; shorter times are left out" },
  { name = "max_block_time", flags = "-M --max-block-time", type = "integer", range = [1, 1e15], metavar = "US", help = "microseconds; longer times are left out" },
]
examples = [
  { run = "5", help = "all threads, for five seconds" },
  { run = "-p 1234 --flamegraph out.svg", help = "what one process waits for, as a flame graph" },
]
[outputs.stacks]
help = "microseconds, by waker, its stack, and the thread that was woken (target)"
[requires]
attach = ["raw_tracepoint:sched_switch", "raw_tracepoint:sched_waking"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args
if args.pid and args.user_threads then
    tool:fail("cannot choose threads in two ways", "-p and -u exclude each other")
end

local TEXT = [[
#include <linux/sched.h>

#define PF_KTHREAD_BIT 0x00200000
const volatile u32 only_tgid = 0;
const volatile bool of_users = false;
const volatile u64 shortest = 0, longest = -1; // nanoseconds

struct key {
    u32 waker_pid;
    int kernel;
    char waker[TASK_COMM_LEN], target[TASK_COMM_LEN];
};
BPF_HASH(off, u32, u64, 131072);
BPF_HASH(times, struct key, u64, 65536);
BPF_STACK_TRACE(stacks, 16384);

RAW_TRACEPOINT_PROBE(sched_switch)
{
    struct task_struct *prev = (struct task_struct *)ctx->args[1];
    u32 tid = prev->pid;
    u64 now = bpf_ktime_get_ns();
    long state = bpf_core_field_exists(prev->state) ? prev->state : prev->__state;
    if (!tid || state == 0 || state & 0x80) // idle, runs on, or TASK_DEAD
        return 0;
    if ((only_tgid && prev->tgid != only_tgid) || (of_users && prev->flags & PF_KTHREAD_BIT))
        return 0;
    off.update(&tid, &now);
    return 0;
}

// The current thread wakes another one.
RAW_TRACEPOINT_PROBE(sched_waking)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    u32 tid = task->pid;
    u64 *since = off.lookup(&tid);
    if (!since)
        return 0;
    u64 time = bpf_ktime_get_ns() - *since;
    off.delete(&tid);
    if (time < shortest || time > longest)
        return 0;
    struct key key = { .waker_pid = bpf_get_current_pid_tgid() >> 32 };
    key.kernel = stacks.get_stackid(ctx, 0);
    bpf_get_current_comm(key.waker, sizeof(key.waker));
    bpf_probe_read_kernel_str(key.target, sizeof(key.target), task->comm);
    times.atomic_increment(key, time);
    return 0;
}
]]

local b = BPF{
    text = TEXT,
    constants = {
        only_tgid = args.pid,
        of_users = args.user_threads,
        shortest = args.min_block_time * 1000,
        longest = args.max_block_time and args.max_block_time * 1000 or nil,
    },
    maps = { stacks = { max_entries = args.stack_storage_size } },
}

local function print_stacks()
    local list = {}
    for key, time in b.times:items() do
        list[#list + 1] = {
            frames = tool:frames(b.stacks, { kernel = key.kernel, address = args.verbose }),
            value = math.floor(tonumber(time) / 1000),
            comm = ffi.string(key.waker),
            pid = key.waker_pid,
            target = ffi.string(key.target),
        }
    end
    tool:stacks(list, { unit = "us" })
end

tool:say("Tracing sleeps and who ends them... Ctrl-C ends it")
tool:run({ duration = args.duration, each = print_stacks })
