-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Where threads wait: the time off the CPU, by stack"
description = """
From when a thread leaves its CPU until it has one again: it sleeps, waits for a lock or a disk, or had to make way. The stack is that
with which it left."""
parameters = [
  { name = "duration", positional = true, type = "duration", range = [0.01, 1e9], help = "stop after so many seconds" },
  { name = "pid", flags = "-p --pid", type = "pid", many = true, help = "look at these processes only, with commas between" },
  { name = "tid", flags = "-t --tid", type = "pid", many = true, help = "look at these threads only, with commas between" },
  { name = "user_threads", flags = "-u --user-threads-only", type = "flag", help = "look at threads of processes only" },
  { name = "kernel_threads", flags = "-k --kernel-threads-only", type = "flag", help = "look at threads of the kernel only" },
  { name = "user_only", flags = "-U --user-stacks-only", type = "flag", help = "show stacks of user space only" },
  { name = "kernel_only", flags = "-K --kernel-stacks-only", type = "flag", help = "show stacks of the kernel only" },
  { name = "delimited", flags = "-d --delimited", type = "flag", help = "put `--` between kernel and user space" },
  { name = "offset", flags = "-s --offset", type = "flag", help = "show how far into the functions" },
  { name = "stack_storage_size", flags = "--stack-storage-size", type = "integer", range = [1, 1e8], default = 16384, metavar = "N", help = "different stacks at most" },
  { name = "min_block_time", flags = "-m --min-block-time", type = "integer", range = [0, 1e15], default = 1, metavar = "US", help = "microseconds; shorter times are left out" },
  { name = "max_block_time", flags = "-M --max-block-time", type = "integer", range = [1, 1e15], metavar = "US", help = "microseconds; longer times are left out" },
  { name = "state", flags = "--state", type = "integer", range = [0, 65535], help = "only threads that leave in these states, a sum: 1 interruptible, 2 uninterruptible; 0: could run on" },
]
examples = [
  { run = "5", help = "all threads, for five seconds" },
  { run = "-p 1234 --flamegraph out.svg", help = "a flame graph of one process" },
  { run = "-K --state 2 10", help = "what the kernel waits for uninterruptibly" },
]
[outputs.stacks]
help = "microseconds, by process and stack"
[requires]
attach = ["raw_tracepoint:sched_switch"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args
local ways = (#args.pid > 0 and 1 or 0) + (#args.tid > 0 and 1 or 0) + (args.user_threads and 1 or 0) + (args.kernel_threads and 1 or 0)
if ways > 1 then
    tool:fail("cannot choose threads in two ways", "-p, -t, -u and -k exclude each other")
elseif args.user_only and args.kernel_only then
    tool:fail("cannot leave out all stacks", "-U and -K exclude each other")
end

local TEXT = [[
#include <linux/sched.h>

#define PF_KTHREAD_BIT 0x00200000
enum { ALL, PROCESSES, THREADS, OF_USERS, OF_KERNEL };
const volatile u32 only = ALL, states = 0;
const volatile bool by_state = false, with_kernel = true, with_user = true;
const volatile u64 shortest = 0, longest = -1; // nanoseconds

struct key {
    u32 pid;
    int kernel, user;
    char comm[TASK_COMM_LEN];
};
struct left {
    u64 at;
    struct key key;
};
BPF_HASH(wanted, u32, u8, 4096);
BPF_HASH(off, u32, struct left, 131072);
BPF_HASH(times, struct key, u64, 65536);
BPF_STACK_TRACE(stacks, 16384);

static __always_inline bool is_wanted(struct task_struct *task)
{
    u32 tgid = task->tgid, tid = task->pid;
    long state = bpf_core_field_exists(task->state) ? task->state : task->__state;
    if (!tid || state & 0x80) // idle, or TASK_DEAD: it never runs again
        return false;
    if (by_state && (states ? !(state & states) : state))
        return false;
    if (only == PROCESSES)
        return wanted.lookup(&tgid);
    if (only == THREADS)
        return wanted.lookup(&tid);
    bool is_of_kernel = task->flags & PF_KTHREAD_BIT;
    return only == ALL || is_of_kernel == (only == OF_KERNEL);
}

static __always_inline void leaves(void *ctx, struct task_struct *task, u64 now)
{
    u32 tid = task->pid;
    if (!is_wanted(task))
        return;
    struct left left = { .at = now, .key = { .pid = task->tgid, .kernel = -14, .user = -14 } };
    bpf_probe_read_kernel_str(left.key.comm, sizeof(left.key.comm), task->comm);
    if (with_kernel)
        left.key.kernel = stacks.get_stackid(ctx, 0);
    if (with_user)
        left.key.user = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    off.update(&tid, &left);
}

RAW_TRACEPOINT_PROBE(sched_switch)
{
    struct task_struct *prev = (struct task_struct *)ctx->args[1], *next = (struct task_struct *)ctx->args[2];
    u64 now = bpf_ktime_get_ns();
    leaves(ctx, prev, now);

    u32 tid = next->pid;
    struct left *left = off.lookup(&tid);
    if (!left)
        return 0;
    u64 time = now - left->at;
    if (time >= shortest && time <= longest)
        times.atomic_increment(left->key, time);
    off.delete(&tid);
    return 0;
}
]]

local chosen = #args.pid > 0 and args.pid or args.tid
local b = BPF{
    text = TEXT,
    constants = {
        only = #args.pid > 0 and 1 or #args.tid > 0 and 2 or args.user_threads and 3 or args.kernel_threads and 4 or 0,
        by_state = args.state ~= nil,
        states = args.state or 0,
        with_kernel = not args.user_only,
        with_user = not args.kernel_only,
        shortest = args.min_block_time * 1000,
        longest = args.max_block_time and args.max_block_time * 1000 or nil,
    },
    maps = { stacks = { max_entries = args.stack_storage_size } },
    attach = false,
}
for _, id in ipairs(chosen) do
    b.wanted[id] = 1
end
tool:attach(b, { { { raw_tp = "sched_switch", fn_name = "raw_tracepoint__sched_switch" } } })

local function print_stacks()
    local list = {}
    for key, time in b.times:items() do
        list[#list + 1] = {
            frames = tool:frames(b.stacks, { kernel = key.kernel, user = key.user, pid = key.pid, delimited = args.delimited, offset = args.offset }),
            value = math.floor(tonumber(time) / 1000),
            comm = ffi.string(key.comm),
            pid = key.pid,
        }
    end
    tool:stacks(list, { unit = "us" })
end

tool:say("Tracing the time off the CPU... Ctrl-C ends it")
tool:run({ duration = args.duration, each = print_stacks })
