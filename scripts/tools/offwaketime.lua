-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Where threads wait and who wakes them: time off the CPU, by both stacks"
description = """
From when a thread leaves its CPU until it has one again, by the stack with which it left and by the stack of the thread that woke it."""
parameters = [
  { name = "duration", positional = true, type = "duration", range = [0.01, 1e9], help = "stop after so many seconds" },
  { name = "pid", flags = "-p --pid", type = "pid", many = true, help = "look at these processes only, with commas between" },
  { name = "tid", flags = "-t --tid", type = "pid", many = true, help = "look at these threads only, with commas between" },
  { name = "user_threads", flags = "-u --user-threads-only", type = "flag", help = "look at threads of processes only" },
  { name = "kernel_threads", flags = "-k --kernel-threads-only", type = "flag", help = "look at threads of the kernel only" },
  { name = "user_only", flags = "-U --user-stacks-only", type = "flag", help = "show stacks of user space only" },
  { name = "kernel_only", flags = "-K --kernel-stacks-only", type = "flag", help = "show stacks of the kernel only" },
  { name = "delimited", flags = "-d --delimited", type = "flag", help = "put `--` between kernel and user space" },
  { name = "stack_storage_size", flags = "--stack-storage-size", type = "integer", range = [1, 1e8], default = 16384, metavar = "N", help = "different stacks at most" },
  { name = "min_block_time", flags = "-m --min-block-time", type = "integer", range = [0, 1e15], default = 1, metavar = "US", help = "microseconds; shorter times are left out" },
  { name = "max_block_time", flags = "-M --max-block-time", type = "integer", range = [1, 1e15], metavar = "US", help = "microseconds; longer times are left out" },
  { name = "state", flags = "--state", type = "integer", range = [0, 65535], help = "only threads that leave in these states, a sum: 1 interruptible, 2 uninterruptible; 0: could run on" },
]
examples = [
  { run = "5", help = "all threads, for five seconds" },
  { run = "-p 1234 --flamegraph out.svg", help = "a flame graph of one process" },
]
[outputs.stacks]
help = "microseconds, by process, its stack, the waker and its stack"
[requires]
attach = ["raw_tracepoint:sched_switch", "raw_tracepoint:sched_waking"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local offcpu = require("bpflua.tool_offcpu")
local tool = BPF.tool()
local args = tool.args
offcpu.check(tool)

local MAPS = [[
struct side {
    u32 pid;
    int kernel, user;
    char comm[TASK_COMM_LEN];
};
struct key {
    struct side target, waker;
};
struct left {
    u64 at;
    struct key key; // the waker is not known until it wakes
};
BPF_HASH(off, u32, struct left, 131072);
BPF_HASH(times, struct key, u64, 65536);
]]

local PROBES = [[
// The stacks and the name of the current thread.
static __always_inline void describe(void *ctx, struct side *side)
{
    side->pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(side->comm, sizeof(side->comm));
    side->kernel = with_kernel ? stacks.get_stackid(ctx, 0) : -14;
    side->user = with_user ? stacks.get_stackid(ctx, BPF_F_USER_STACK) : -14;
}

RAW_TRACEPOINT_PROBE(sched_waking)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    u32 tid = task->pid;
    struct left *left = off.lookup(&tid);
    if (left)
        describe(ctx, &left->key.waker);
    return 0;
}

RAW_TRACEPOINT_PROBE(sched_switch)
{
    struct task_struct *prev = (struct task_struct *)ctx->args[1], *next = (struct task_struct *)ctx->args[2];
    u64 now = bpf_ktime_get_ns();
    u32 tid = prev->pid;
    if (is_wanted(prev)) {
        struct left left = { .at = now, .key = { .waker = { .kernel = -14, .user = -14 } } };
        describe(ctx, &left.key.target);
        off.update(&tid, &left);
    }
    comes_back(next, now);
    return 0;
}
]]

local b = offcpu.open(tool, MAPS, PROBES)
tool:attach(b, { {
    { raw_tp = "sched_waking", fn_name = "raw_tracepoint__sched_waking" },
    { raw_tp = "sched_switch", fn_name = "raw_tracepoint__sched_switch" },
} })

local function frames_of(side)
    return tool:frames(b.stacks, { kernel = side.kernel, user = side.user, pid = side.pid, delimited = args.delimited })
end

-- From the waker's outermost function to the sleeper's: they meet where one wakes the other.
local function joined(waker, target)
    local list = {}
    for i = #waker, 1, -1 do
        list[#list + 1] = waker[i]
    end
    list[#list + 1] = "--"
    for _, frame in ipairs(target) do
        list[#list + 1] = frame
    end
    return list
end

local function print_stacks()
    local list = {}
    for key, time in b.times:items() do
        local target, waker = frames_of(key.target), frames_of(key.waker)
        local name = ffi.string(key.waker.comm)
        list[#list + 1] = {
            frames = joined(waker, target),
            value = math.floor(tonumber(time) / 1000),
            comm = ffi.string(key.target.comm),
            pid = key.target.pid,
            waker = name ~= "" and name or "[nobody]",
            waker_pid = key.waker.pid,
            waker_frames = waker,
            target_frames = target,
        }
    end
    tool:stacks(list, { unit = "us" })
end

tool:say("Tracing the time off the CPU and who ends it... Ctrl-C ends it")
tool:run({ duration = args.duration, each = print_stacks })
