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
lua = ["ffi"]
]==]

local ffi = require("ffi")
local offcpu = require("bpflua.tool_offcpu")
local tool = BPF.tool()
local args = tool.args
offcpu.check(tool)

local MAPS = [[
struct key {
    u32 pid;
    int kernel, user;
    char comm[TASK_COMM_LEN];
};
struct left {
    u64 at;
    struct key key;
};
BPF_HASH(off, u32, struct left, 131072);
BPF_HASH(times, struct key, u64, 65536);
]]

local PROBES = [[
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
    comes_back(next, now);
    return 0;
}
]]

local b = offcpu.open(tool, MAPS, PROBES)
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
