-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Reads and writes of files that take long, with the file's path"
description = """
Traces read(2), write(2) and their kin (pread64, readv, preadv2, …) and shows calls that took longer than MIN_MS. What is read
ahead, written back later, mapped, or done by io_uring is not a call, and not shown."""
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "all", flags = "-a --all-files", type = "flag", help = "show sockets, pipes, devices and so on, too" },
  { name = "min_ms", type = "number", positional = true, range = [0, 3600000], default = 10, help = "milliseconds that a call takes to be shown" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME(s)", width = 8, type = "number", decimals = 3, unit = "s", right = false },
  { name = "comm", width = 15 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "tid", width = 7, type = "integer", right = false },
  { name = "dir", title = "D", width = 1 },
  { name = "bytes", width = 8, type = "integer", unit = "bytes" },
  { name = "latency", title = "LAT(ms)", width = 9, type = "number", decimals = 3, unit = "ms" },
  { name = "file", title = "FILENAME" },
]
examples = [
  { run = "", help = "what takes more than 10 milliseconds" },
  { run = "1", help = "what takes more than one" },
  { run = "-p 181 -a 0", help = "every read and write of process 181" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_*read*", "tracepoint:syscalls:sys_*_*write*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local fs = require("bpflua.tool_fs")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/fs.h>
#include <linux/sched.h>
#include <bpflua/files.h>

const volatile u32 only_pid = 0, own_pid = 0;
const volatile u64 min_ns = 0;
const volatile bool all_files = false;

struct call {
    u64 at;
    struct file *file;
    u32 is_write;
};

struct event {
    u64 at, ns, ino;
    s64 bytes;
    u32 pid, tid, is_write, mode;
    char comm[TASK_COMM_LEN];
    struct bpf_path_names path;
};

BPF_PERF_OUTPUT(events);
BPF_HASH(calls, u64, struct call, 10240);
BPF_PERCPU_ARRAY(blank, struct event, 1);

static __always_inline int enter(int fd, bool is_write)
{
    u64 id = bpf_get_current_pid_tgid();
    if ((only_pid && id >> 32 != only_pid) || id >> 32 == own_pid)
        return 0;
    struct file *file = bpf_file_of(fd);
    if (!file || (!all_files && !S_ISREG(file->f_inode->i_mode)))
        return 0;
    struct call call = { bpf_ktime_get_ns(), file, is_write };
    calls.update(&id, &call);
    return 0;
}

int enter_read(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], false);
}

int enter_write(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], true);
}

int leave(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
    u32 zero = 0, size;
    struct call *call = calls.lookup(&id);
    struct event *e = blank.lookup(&zero);

    if (!call || !e)
        return 0;
    e->ns = now - call->at;
    if (e->ns >= min_ns) {
        struct file *file = call->file;
        e->at = now;
        e->bytes = ctx->ret;
        e->pid = id >> 32;
        e->tid = id;
        e->is_write = call->is_write;
        e->mode = file->f_inode->i_mode;
        e->ino = file->f_inode->i_ino;
        bpf_get_current_comm(&e->comm, sizeof(e->comm));
        bpf_path_read(&e->path, file->f_path.mnt, file->f_path.dentry);
        size = offsetof(struct event, path.names) + e->path.size;
        if (size <= sizeof(*e))
            events.perf_submit(ctx, e, size);
    }
    calls.delete(&id);
    return 0;
}
]]

local b = BPF{
    text = TEXT,
    attach = false,
    constants = { only_pid = args.pid, own_pid = fs.own_pid(), min_ns = math.floor(args.min_ms * 1e6), all_files = args.all },
}
tool:attach_syscalls(b, fs.READS, { enter = "enter_read", exit = "leave" })
tool:attach_syscalls(b, fs.WRITES, { enter = "enter_write", exit = "leave" })

local start = BPF.monotonic_time()
b.events:open_perf_buffer(function(_, event)
    tool:print({
        time = tonumber(event.at - start) / 1e9,
        comm = ffi.string(event.comm),
        pid = event.pid,
        tid = event.tid,
        dir = event.is_write ~= 0 and "W" or "R",
        bytes = tonumber(event.bytes),
        latency = tonumber(event.ns) / 1e6,
        file = fs.file_text(event.path, event.mode, event.ino),
    })
end, { page_cnt = 128 })

tool:say(("Tracing reads and writes slower than %g ms. Ctrl-C ends."):format(args.min_ms))
tool:header()
tool:run({ duration = args.duration })
