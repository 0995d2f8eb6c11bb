-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Counts system calls by name or by process, with their latency"
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "count the calls of this process only" },
  { name = "tid", flags = "-t --tid", type = "pid", help = "count the calls of this thread only" },
  { name = "ppid", flags = "-c --ppid", type = "pid", help = "count the calls of children of this process only" },
  { name = "interval", flags = "-i --interval", type = "duration", help = "print a table this often" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "top", flags = "-T --top", type = "integer", range = [1, 100000], default = 10, help = "rows of a table at most" },
  { name = "failures", flags = "-x --failures", type = "flag", help = "count calls that failed only" },
  { name = "errno", flags = "-e --errno", metavar = "ERRNO", help = "count calls that failed so only: 2, ENOENT" },
  { name = "latency", flags = "-L --latency", type = "flag", help = "measure how long calls take" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "show milliseconds instead of microseconds" },
  { name = "process", flags = "-P --process", type = "flag", help = "count by process, not by call" },
  { name = "list", flags = "-l --list", type = "flag", help = "list the names of all calls" },
  { name = "syscall", flags = "--syscall", metavar = "NAME", help = "count this call only" },
]
columns = [
  { name = "pid", width = 7, type = "integer", right = false, when = "process" },
  { name = "comm", width = 16, when = "process" },
  { name = "syscall", width = 22, when = "!process" },
  { name = "count", width = 8, type = "integer" },
  { name = "total_us", title = "TIME (us)", width = 16, type = "number", decimals = 3, unit = "us", when = "latency !milliseconds" },
  { name = "total_ms", title = "TIME (ms)", width = 16, type = "number", decimals = 6, unit = "ms", when = "latency milliseconds" },
]
examples = [
  { run = "", help = "calls by name until Ctrl-C" },
  { run = "-i 1 -L", help = "each second, with the time they took" },
  { run = "-P -x", help = "which processes have calls that fail?" },
  { run = "-e ENOENT --syscall openat -P", help = "who looks for files that are not there?" },
]
[requires]
attach = ["tracepoint:raw_syscalls:sys_*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

const volatile u32 only_pid = 0, only_tid = 0, only_ppid = 0;
const volatile int only_call = -1, only_errno = 0;
const volatile bool only_failed = false, by_process = false, with_latency = false;

struct total {
    u64 count, ns;
    char comm[TASK_COMM_LEN];
};

BPF_HASH(entered, u64, u64, 65536);
BPF_HASH(totals, u32, struct total, 65536);

static __always_inline bool is_wanted(int call)
{
    u64 id = bpf_get_current_pid_tgid();
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();

    if ((only_pid && id >> 32 != only_pid) || (only_tid && (u32)id != only_tid) || (only_call >= 0 && call != only_call))
        return false;
    return !only_ppid || task->real_parent->tgid == only_ppid;
}

TRACEPOINT_PROBE(raw_syscalls, sys_enter)
{
    u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

    if (is_wanted(args->id))
        entered.update(&id, &now);
    return 0;
}

TRACEPOINT_PROBE(raw_syscalls, sys_exit)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 key = by_process ? id >> 32 : args->id;
    struct total none = {}, *total;
    u64 ns = 0;

    // A call that was there before the start, rt_sigreturn, and the second return of clone have a number below 0.
    if (args->id < 0 || !is_wanted(args->id))
        return 0;
    if (with_latency) {
        u64 *begin = entered.lookup(&id);
        if (!begin)
            return 0;
        ns = bpf_ktime_get_ns() - *begin;
        entered.delete(&id);
    }
    if ((only_failed && (args->ret >= 0 || args->ret < -4095)) || (only_errno && args->ret != -only_errno))
        return 0;
    total = totals.lookup_or_try_init(&key, &none);
    if (!total)
        return 0;
    if (by_process && !total->count)
        bpf_get_current_comm(total->comm, sizeof(total->comm));
    lock_xadd(&total->count, 1);
    lock_xadd(&total->ns, ns);
    return 0;
}
]]

-- Numbers of system calls are below this, but for those of ABIs that nobody uses.
local MOST_CALLS = 1024

local function all_names()
    local names, numbers = {}, {}
    for number = 0, MOST_CALLS do
        local name = BPF.syscall_name(number)
        if not name:find("^%[unknown") then
            names[#names + 1], numbers[name] = name, number
        end
    end
    table.sort(names)
    return names, numbers
end

local names, numbers = all_names()
if args.list then
    print(table.concat(names, "\n"))
    return
end
if args.syscall and not numbers[args.syscall] then
    tool:fail(("cannot count the system call `%s`"):format(args.syscall), "there is none of that name; `syscount -l` lists them")
end

local function errno_number(text)
    for number = 1, 4095 do
        if tonumber(text) == number or BPF.errno_name(number) == text:upper() then
            return number
        end
    end
    tool:fail(("cannot count calls that end with `%s`"):format(text), "it is neither a number nor the name of an error")
end

local b = BPF{
    text = TEXT,
    attach = false,
    constants = {
        only_pid = args.pid, only_tid = args.tid, only_ppid = args.ppid, only_call = args.syscall and numbers[args.syscall],
        only_errno = args.errno and errno_number(args.errno), only_failed = args.failures, by_process = args.process,
        with_latency = args.latency,
    },
}
b:attach_tracepoint({ tp = "raw_syscalls:sys_exit", fn_name = "tracepoint__raw_syscalls__sys_exit" })
if args.latency then
    b:attach_tracepoint({ tp = "raw_syscalls:sys_enter", fn_name = "tracepoint__raw_syscalls__sys_enter" })
end

local function rows()
    local list = {}
    for key, total in b.totals:drain() do
        local ns = tonumber(total.ns)
        list[#list + 1] = {
            pid = args.process and key or nil,
            comm = args.process and ffi.string(total.comm) or nil,
            syscall = not args.process and BPF.syscall_name(key) or nil,
            count = tonumber(total.count),
            total_us = ns / 1e3,
            total_ms = ns / 1e6,
        }
    end
    local by = args.latency and "total_us" or "count"
    table.sort(list, function(a, c)
        return a[by] > c[by]
    end)
    for i = #list, args.top + 1, -1 do
        list[i] = nil
    end
    return list
end

tool:say("Tracing system calls. Ctrl-C ends.")
tool:run({
    interval = args.interval,
    duration = args.duration,
    each = function()
        tool:view(rows(), { title = os.date("[%H:%M:%S]"), keep = true })
    end,
})
