-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Signals that processes send by kill(2) and its kin, with the result"
description = """
Traces kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2) and pidfd_send_signal(2). Signals of the kernel's own
(SIGSEGV, Ctrl-C at a terminal) are sent by no call and not shown."""
parameters = [
  { name = "failed", flags = "-x --failed", type = "flag", help = "show calls that failed only" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show signals of this sender only" },
  { name = "tpid", flags = "-T --tpid", type = "integer", range = [-2147483648, 2147483647], help = "show signals to this target only; negative: a group" },
  { name = "signals", flags = "-s --signal", metavar = "SIGNALS", help = "show these signals only: 9,15 or KILL,TERM" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 9 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "signal", title = "SIG", width = 4, type = "integer", right = false },
  { name = "name", width = 10 },
  { name = "tpid", width = 7, type = "integer", right = false },
  { name = "result", width = 6, type = "integer", right = false },
  { name = "syscall", width = 8 },
]
examples = [
  { run = "", help = "every signal that is sent" },
  { run = "-x", help = "only those that could not be sent" },
  { run = "-T 181 -s KILL,TERM", help = "who ends process 181?" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_*kill", "tracepoint:syscalls:sys_*_*sigqueueinfo", "tracepoint:syscalls:sys_*_pidfd_send_signal"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>
#include <bpflua/files.h>

const volatile u32 only_pid = 0;
const volatile int only_target = 0;
const volatile bool only_failed = false, has_target = false;
const volatile u64 only_signals = 0; // a bit for each, from 1; none: all

enum { KILL, TKILL, TGKILL, QUEUE, TGQUEUE, PIDFD };

struct event {
    u32 pid;
    int target, signal, result, call;
    char comm[TASK_COMM_LEN];
};

BPF_PERF_OUTPUT(events);
BPF_HASH(calls, u64, struct event, 10240);

static __always_inline int enter(int call, int target, int signal)
{
    u64 id = bpf_get_current_pid_tgid();
    struct event e = { .pid = id >> 32, .target = target, .signal = signal, .call = call };

    if ((only_pid && e.pid != only_pid) || (has_target && target != only_target))
        return 0;
    if (only_signals && (signal < 1 || signal > 64 || !(only_signals & (1ULL << (signal - 1)))))
        return 0;
    bpf_get_current_comm(&e.comm, sizeof(e.comm));
    calls.update(&id, &e);
    return 0;
}

int enter_kill(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(KILL, ctx->args[0], ctx->args[1]);
}

int enter_tkill(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(TKILL, ctx->args[0], ctx->args[1]);
}

int enter_tgkill(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(TGKILL, ctx->args[1], ctx->args[2]);
}

int enter_rt_sigqueueinfo(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(QUEUE, ctx->args[0], ctx->args[1]);
}

int enter_rt_tgsigqueueinfo(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(TGQUEUE, ctx->args[1], ctx->args[2]);
}

int enter_pidfd_send_signal(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    // The process of a pidfd: its struct pid is the file's own data.
    struct file *file = bpf_file_of(ctx->args[0]);
    struct pid *pid = file ? (struct pid *)file->private_data : 0;
    return enter(PIDFD, pid ? pid->numbers[0].nr : 0, ctx->args[1]);
}

int exit_kill(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    struct event *e = calls.lookup(&id);

    if (!e)
        return 0;
    if (!only_failed || ctx->ret < 0) {
        struct event sent = *e;
        sent.result = ctx->ret;
        events.perf_submit(ctx, &sent, sizeof(sent));
    }
    calls.delete(&id);
    return 0;
}
]]

-- The number of a signal by number or name.
local function number_of(word)
    local number = tonumber(word)
    local name = "SIG" .. word:upper():gsub("^SIG", "")
    for signal = 1, 64 do
        if signal == number or BPF.signal_name(signal) == name then
            return signal
        end
    end
    tool:fail(("cannot show the signal `%s`"):format(word), "it is neither a number from 1 to 64 nor the name of a signal")
end

local function wanted_signals()
    local bits = 0ULL
    for word in (args.signals or ""):gmatch("[^,%s]+") do
        bits = bit.bor(bits, bit.lshift(1ULL, number_of(word) - 1))
    end
    return bits
end

local b = BPF{
    text = TEXT,
    attach = false,
    constants = {
        only_pid = args.pid, only_target = args.tpid, has_target = args.tpid ~= nil, only_failed = args.failed,
        only_signals = wanted_signals(),
    },
}
local CALLS = { "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal" }
for _, name in ipairs(CALLS) do
    tool:attach_syscalls(b, { name }, { enter = "enter_" .. name, exit = "exit_kill" })
end

b.events:open_perf_buffer(function(_, event)
    tool:print({
        time = os.date("%H:%M:%S"),
        pid = event.pid,
        comm = ffi.string(event.comm),
        signal = event.signal,
        name = event.signal > 0 and BPF.signal_name(event.signal) or nil,
        tpid = event.target,
        result = event.result,
        syscall = CALLS[event.call + 1],
    })
end)

tool:header()
tool:run({ duration = args.duration })
