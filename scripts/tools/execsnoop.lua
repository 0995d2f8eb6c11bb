-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Programs as they start, with their arguments"
description = """
Traces execve(2) and execveat(2). The arguments are read when the call is entered, the result when it returns;
calls that failed are shown with -x."""
parameters = [
  { name = "time", flags = "-T --time", type = "flag", help = "show the time of day" },
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the start" },
  { name = "fails", flags = "-x --fails", type = "flag", help = "show calls that failed, too" },
  { name = "uid", flags = "-u --uid", type = "integer", range = [0, 4294967295], help = "show this user's only" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "quote", flags = "-q --quote", type = "flag", help = "put quotes around arguments" },
  { name = "comm", flags = "-n --name", metavar = "TEXT", help = "show commands whose name holds this Lua pattern only" },
  { name = "line", flags = "-l --line", metavar = "TEXT", help = "show commands whose arguments hold this Lua pattern only" },
  { name = "print_uid", flags = "-U --print-uid", type = "flag", help = "show the user's ID" },
  { name = "print_cpu", flags = "-C --print-cpu", type = "flag", help = "show the CPU" },
  { name = "print_pcomm", flags = "-M --print-pcomm", type = "flag", help = "show the name of the parent, too" },
  { name = "ppid", flags = "-P --ppid", type = "pid", help = "show children of this process only" },
  { name = "max_args", flags = "--max-args", type = "integer", range = [1, 60], default = 20, help = "arguments shown at most" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME", width = 8, when = "time" },
  { name = "elapsed", title = "TIME(s)", width = 8, type = "number", decimals = 3, unit = "s", right = false, when = "timestamp" },
  { name = "uid", width = 6, type = "integer", right = false, when = "print_uid" },
  { name = "comm", title = "PCOMM", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "ppid", width = 7, type = "integer", right = false },
  { name = "parent", title = "PARENT", width = 16, when = "print_pcomm" },
  { name = "cpu", width = 3, type = "integer", when = "print_cpu" },
  { name = "ret", width = 3, type = "integer" },
  { name = "args", title = "ARGS" },
]
examples = [
  { run = "", help = "every program that starts" },
  { run = "-x -T", help = "failed calls, too, with the time of day" },
  { run = "-n mount", help = "only commands whose name holds `mount`" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_execve", "tracepoint:syscalls:sys_*_execveat"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

#define ARG_SIZE 128
#define MOST_ARGS 60

const volatile u32 only_uid = -1, only_ppid = 0, max_args = 20;
const volatile bool with_fails = false;

struct event {
    u64 at;
    u32 pid, ppid, uid;
    int ret;
    u32 count, size, cpu; // arguments, and their bytes
    char comm[TASK_COMM_LEN], parent[TASK_COMM_LEN];
    char args[ARG_SIZE * MOST_ARGS];
};

BPF_PERF_OUTPUT(events);
BPF_HASH(started, u32, struct event, 1024);
BPF_PERCPU_ARRAY(blank, struct event, 1);

static __always_inline int enter(const char *filename, const char *const *argv)
{
    u32 tgid = bpf_get_current_pid_tgid() >> 32, uid = bpf_get_current_uid_gid(), zero = 0;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    u32 ppid = task->real_parent->tgid;
    if (container_should_be_filtered() || (only_uid != (u32)-1 && uid != only_uid) || (only_ppid && ppid != only_ppid))
        return 0;
    struct event *e = blank.lookup(&zero);
    if (!e)
        return 0;
    e->at = bpf_ktime_get_ns();
    e->pid = tgid;
    e->ppid = ppid;
    e->uid = uid;
    bpf_probe_read_kernel_str(e->parent, sizeof(e->parent), task->real_parent->comm);
    e->count = 0;
    e->size = 0;
    int length = bpf_probe_read_user_str(e->args, ARG_SIZE, filename);
    if (length > 0)
        e->size = length;
    for (int i = 1; i < MOST_ARGS && i < max_args; i++) {
        const char *arg = 0;
        bpf_probe_read_user(&arg, sizeof(arg), &argv[i]);
        e->count = i;
        if (!arg)
            goto out;
        if (e->size > ARG_SIZE * (MOST_ARGS - 1))
            break;
        length = bpf_probe_read_user_str(&e->args[e->size], ARG_SIZE, arg);
        if (length > 0)
            e->size += length;
    }
    e->count = MOST_ARGS + 1; // there may be more
out:
    started.update(&tgid, e);
    return 0;
}

static __always_inline int leave(void *ctx, int ret)
{
    u32 tgid = bpf_get_current_pid_tgid() >> 32;
    struct event *e = started.lookup(&tgid);
    if (!e)
        return 0;
    if (ret >= 0 || with_fails) {
        e->ret = ret;
        e->cpu = bpf_get_smp_processor_id();
        bpf_get_current_comm(e->comm, sizeof(e->comm));
        u32 size = offsetof(struct event, args) + e->size;
        if (size <= sizeof(*e))
            events.perf_submit(ctx, e, size);
    }
    started.delete(&tgid);
    return 0;
}

TRACEPOINT_PROBE(syscalls, sys_enter_execve)
{
    return enter(args->filename, (const char *const *)args->argv);
}

TRACEPOINT_PROBE(syscalls, sys_enter_execveat)
{
    return enter(args->filename, (const char *const *)args->argv);
}

TRACEPOINT_PROBE(syscalls, sys_exit_execve)
{
    return leave(args, args->ret);
}

TRACEPOINT_PROBE(syscalls, sys_exit_execveat)
{
    return leave(args, args->ret);
}
]]

local b = BPF{
    text = BPF.filter_by_containers(args) .. TEXT,
    constants = { only_uid = args.uid, only_ppid = args.ppid, max_args = args.max_args, with_fails = args.fails },
}

local function arguments(event)
    local list = {}
    for one in ffi.string(event.args, event.size):gmatch("([^%z]*)%z") do
        if args.quote then
            one = '"' .. one:gsub('["\\]', "\\%0") .. '"'
        else
            one = one:gsub("\n", "\\n")
        end
        list[#list + 1] = one
    end
    if event.count > 60 then
        list[#list + 1] = "..."
    end
    return table.concat(list, " ")
end

local start = BPF.monotonic_time()
b.events:open_perf_buffer(function(_, event)
    local comm, line = ffi.string(event.comm), arguments(event)
    if args.comm and not comm:find(args.comm) or args.line and not line:find(args.line) then
        return
    end
    tool:print({
        time = os.date("%H:%M:%S"),
        elapsed = tonumber(event.at - start) / 1e9,
        uid = event.uid,
        comm = comm,
        pid = event.pid,
        ppid = event.ppid,
        parent = ffi.string(event.parent),
        cpu = event.cpu,
        ret = event.ret,
        args = line,
    })
end, { page_cnt = 64 })

tool:header()
tool:run({ duration = args.duration })
