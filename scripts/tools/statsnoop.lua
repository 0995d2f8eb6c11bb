-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Files that are looked at by stat(2) and its kin, with the result"
description = """
Traces stat(2), lstat(2), newfstatat(2), statx(2), statfs(2) and, with an empty name as libc's fstat() calls them, what they say of an open
file (shown with the descriptor in place of a path)."""
parameters = [
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the start" },
  { name = "sysname", flags = "-s --sysname", type = "flag", help = "show the name of the system call" },
  { name = "failed", flags = "-x --failed", type = "flag", help = "show calls that failed only" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME(s)", width = 13, type = "number", decimals = 9, unit = "s", right = false, when = "timestamp" },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "syscall", width = 10, when = "sysname" },
  { name = "fd", width = 4, type = "integer" },
  { name = "err", width = 3, type = "integer" },
  { name = "path" },
]
examples = [
  { run = "", help = "every file that is looked at" },
  { run = "-x", help = "files that are not there, and what may not be looked at" },
  { run = "-s -p 181", help = "the calls of process 181, with their names" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_*stat*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

const volatile u32 only_pid = 0;
const volatile bool only_failed = false;

struct call {
    const char *path;
    int fd;
};

struct event {
    u64 at;
    u32 pid;
    int ret, fd, number;
    char comm[TASK_COMM_LEN];
    char path[256];
};

BPF_PERF_OUTPUT(events);
BPF_HASH(calls, u64, struct call, 10240);

static __always_inline int enter(const char *path, int fd)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call call = { path, fd };

    if (!only_pid || id >> 32 == only_pid)
        calls.update(&id, &call);
    return 0;
}

// stat(path, …)
int enter_path(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter((const char *)ctx->args[0], AT_FDCWD);
}

// statx(folder, path, …)
int enter_at(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter((const char *)ctx->args[1], ctx->args[0]);
}

int exit_stat(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call *call = calls.lookup(&id);

    if (!call)
        return 0;
    if (!only_failed || ctx->ret < 0) {
        struct event e = { .at = bpf_ktime_get_ns(), .pid = id >> 32, .ret = ctx->ret, .fd = call->fd, .number = ctx->id };
        bpf_get_current_comm(&e.comm, sizeof(e.comm));
        if (call->path)
            bpf_probe_read_user_str(e.path, sizeof(e.path), call->path);
        events.perf_submit(ctx, &e, sizeof(e));
    }
    calls.delete(&id);
    return 0;
}
]]

local b = BPF{ text = TEXT, attach = false, constants = { only_pid = args.pid, only_failed = args.failed } }
local by_path = { "statfs", "statfs64", "stat", "lstat", "newstat", "newlstat", "stat64", "lstat64" }
tool:attach_syscalls(b, by_path, { enter = "enter_path", exit = "exit_stat" })
tool:attach_syscalls(b, { "newfstatat", "fstatat64", "statx" }, { enter = "enter_at", exit = "exit_stat" })

local start = BPF.monotonic_time()
b.events:open_perf_buffer(function(_, event)
    local path = ffi.string(event.path)
    tool:print({
        time = tonumber(event.at - start) / 1e9,
        pid = event.pid,
        comm = ffi.string(event.comm),
        syscall = BPF.syscall_name(event.number),
        fd = event.ret >= 0 and event.ret or -1,
        err = event.ret < 0 and -event.ret or 0,
        path = path == "" and event.fd >= 0 and ("(fd %d)"):format(event.fd) or path,
    })
end)

tool:header()
tool:run({ duration = args.duration })
