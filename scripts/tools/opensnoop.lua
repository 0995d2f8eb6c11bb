-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Files as they are opened, by whom, with the result"
description = """
Traces open(2), openat(2), openat2(2) and creat(2). The name is as the program gave it; -F shows the whole path, from the
current folder of the process or the folder that the call names."""
parameters = [
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show seconds since the start" },
  { name = "print_uid", flags = "-U --print-uid", type = "flag", help = "show the user's ID" },
  { name = "failed", flags = "-x --failed", type = "flag", help = "show calls that failed only" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "exec", flags = "--exec", metavar = "COMMAND", help = "run this command, show what it opens, and end with it" },
  { name = "tid", flags = "-t --tid", type = "pid", help = "show this thread only" },
  { name = "uid", flags = "-u --uid", type = "integer", range = [0, 4294967295], help = "show this user only" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "comm", flags = "-n --name", metavar = "TEXT", help = "show processes whose name holds this text only" },
  { name = "extended", flags = "-e --extended_fields", type = "flag", help = "show the flags and the mode of the call" },
  { name = "flags", flags = "-f --flag_filter", metavar = "FLAG", many = true, help = "show calls with one of these flags only (O_WRONLY, …)" },
  { name = "full_path", flags = "-F --full-path", type = "flag", help = "show whole paths" },
  { name = "pages", flags = "-b --buffer-pages", type = "integer", range = [1, 65536], default = 64, help = "pages of the buffer of each CPU, a power of two" },
]
columns = [
  { name = "time", title = "TIME(s)", width = 13, type = "number", decimals = 9, unit = "s", right = false, when = "timestamp" },
  { name = "uid", width = 6, type = "integer", right = false, when = "print_uid" },
  { name = "pid", width = 6, type = "integer", right = false },
  { name = "tid", width = 6, type = "integer", right = false, when = "tid" },
  { name = "comm", width = 16 },
  { name = "fd", width = 4, type = "integer" },
  { name = "err", width = 3, type = "integer" },
  { name = "flags", width = 8, when = "extended" },
  { name = "mode", width = 4, when = "extended" },
  { name = "path" },
]
examples = [
  { run = "", help = "every file that is opened" },
  { run = "-x -p 181", help = "what process 181 could not open" },
  { run = "-f O_WRONLY -f O_RDWR", help = "what is opened for writing" },
  { run = "-F -n nginx -d 10", help = "whole paths, for ten seconds" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_open", "tracepoint:syscalls:sys_*_openat", "tracepoint:syscalls:sys_*_openat2", "tracepoint:syscalls:sys_*_creat"]
lua = ["ffi", "io.open", "io.popen", "jit", "os.execute"]
]==]

local bit = require("bit")
local ffi = require("ffi")
local command = require("bpflua.tool_command")
local paths = require("bpflua.tool_paths")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>
#include <bpflua/files.h>

const volatile u32 only_pid = 0, only_tid = 0, only_uid = -1, only_flags = 0;
const volatile bool only_reading = false, only_failed = false, with_base = false;

struct call {
    const char *name;
    u32 flags, mode;
    int dfd;
};

struct event {
    u64 at;
    u32 pid, tid, uid, flags, mode;
    int ret;
    char comm[TASK_COMM_LEN];
    char name[256];
    struct bpf_path_names base;
};

BPF_PERF_OUTPUT(events);
BPF_HASH(calls, u64, struct call, 10240);
BPF_PERCPU_ARRAY(blank, struct event, 1);

static __always_inline int enter(struct call *call)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 uid = bpf_get_current_uid_gid();

    if ((only_pid && id >> 32 != only_pid) || (only_tid && (u32)id != only_tid) || (only_uid != (u32)-1 && uid != only_uid))
        return 0;
    if (only_flags || only_reading) {
        bool fits = (call->flags & only_flags) || (only_reading && (call->flags & O_ACCMODE) == O_RDONLY);
        if (!fits)
            return 0;
    }
    if (container_should_be_filtered())
        return 0;
    calls.update(&id, call);
    return 0;
}

int enter_open(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    struct call call = { (void *)ctx->args[0], ctx->args[1], ctx->args[2], AT_FDCWD };
    return enter(&call);
}

int enter_creat(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    struct call call = { (void *)ctx->args[0], O_CREAT | O_WRONLY | O_TRUNC, ctx->args[1], AT_FDCWD };
    return enter(&call);
}

int enter_openat(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    struct call call = { (void *)ctx->args[1], ctx->args[2], ctx->args[3], ctx->args[0] };
    return enter(&call);
}

int enter_openat2(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    u64 how[2] = {}; // struct open_how: flags, mode
    bpf_probe_read_user(how, sizeof(how), (void *)ctx->args[2]);
    struct call call = { (void *)ctx->args[1], how[0], how[1], ctx->args[0] };
    return enter(&call);
}

// The name of the folder that a relative path begins at.
static __always_inline void read_base(struct event *e, int dfd)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (dfd == AT_FDCWD) {
        bpf_path_read(&e->base, task->fs->pwd.mnt, task->fs->pwd.dentry);
        return;
    }
    struct file *file = bpf_file_of(dfd);
    if (file)
        bpf_path_read(&e->base, file->f_path.mnt, file->f_path.dentry);
}

int exit_open(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 zero = 0, size = offsetof(struct event, base.names);
    struct call *call = calls.lookup(&id);
    struct event *e = blank.lookup(&zero);

    if (!call || !e)
        return 0;
    if (!only_failed || ctx->ret < 0) {
        e->at = bpf_ktime_get_ns();
        e->pid = id >> 32;
        e->tid = id;
        e->uid = bpf_get_current_uid_gid();
        e->flags = call->flags;
        e->mode = call->mode;
        e->ret = ctx->ret;
        e->base.size = 0;
        bpf_get_current_comm(&e->comm, sizeof(e->comm));
        e->name[0] = 0;
        bpf_probe_read_user_str(e->name, sizeof(e->name), call->name);
        if (with_base && e->name[0] != '/') {
            read_base(e, call->dfd);
            size += e->base.size;
        }
        if (size <= sizeof(*e))
            events.perf_submit(ctx, e, size);
    }
    calls.delete(&id);
    return 0;
}
]]

-- Numbers of flags: include/uapi/asm-generic/fcntl.h, and those that arm64 has of its own.
local FLAGS = {
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_EXCL = 0x80, O_NOCTTY = 0x100, O_TRUNC = 0x200, O_APPEND = 0x400,
    O_NONBLOCK = 0x800, O_DSYNC = 0x1000, O_ASYNC = 0x2000, O_DIRECT = 0x4000, O_LARGEFILE = 0x8000, O_DIRECTORY = 0x10000,
    O_NOFOLLOW = 0x20000, O_NOATIME = 0x40000, O_CLOEXEC = 0x80000, O_SYNC = 0x101000, O_PATH = 0x200000, O_TMPFILE = 0x410000,
}
if jit.arch == "arm64" then
    FLAGS.O_DIRECTORY, FLAGS.O_NOFOLLOW, FLAGS.O_DIRECT, FLAGS.O_LARGEFILE, FLAGS.O_TMPFILE = 0x4000, 0x8000, 0x10000, 0x20000, 0x404000
end

-- What the values of -f mean: bits of which one is enough, and whether reading fits (it is no bit: O_RDONLY is 0).
local function wanted_flags()
    local bits, reading = 0, false
    for _, name in ipairs(args.flags or {}) do
        local value = FLAGS[name:upper()]
        if not value then
            local names = {}
            for known in pairs(FLAGS) do
                names[#names + 1] = known
            end
            table.sort(names)
            tool:fail(("cannot show calls with the flag `%s`"):format(name), "the flags are " .. table.concat(names, ", "))
        end
        bits, reading = bit.bor(bits, value), reading or value == 0
    end
    return bits, reading
end

local bits, reading = wanted_flags()
if args.pid and args.exec then
    tool:fail("cannot look at two processes", "-p and --exec exclude each other")
end
local started = args.exec and command.start(args.exec, io.popen, os.execute)
local b = BPF{
    text = BPF.filter_by_containers(args) .. TEXT,
    attach = false,
    constants = {
        only_pid = started and started.pid or args.pid, only_tid = args.tid, only_uid = args.uid, only_failed = args.failed, with_base = args.full_path,
        only_flags = bits, only_reading = reading,
    },
}
for _, name in ipairs({ "open", "creat", "openat", "openat2" }) do
    if BPF.tracepoint_exists("syscalls", "sys_enter_" .. name) then
        tool:attach_syscalls(b, { name }, { enter = "enter_" .. name, exit = "exit_open" })
    end
end

local function path_of(event)
    local name = ffi.string(event.name)
    if event.base.size > 0 then
        return paths.join(paths.text(event.base), name)
    end
    return name
end

local start = BPF.monotonic_time()
b.events:open_perf_buffer(function(_, event)
    local comm = ffi.string(event.comm)
    if args.comm and not comm:find(args.comm, 1, true) then
        return
    end
    tool:print({
        time = tonumber(event.at - start) / 1e9,
        uid = event.uid,
        pid = event.pid,
        tid = event.tid,
        comm = comm,
        fd = event.ret >= 0 and event.ret or -1,
        err = event.ret < 0 and -event.ret or 0,
        flags = ("%08o"):format(event.flags),
        mode = ("%04o"):format(event.mode),
        path = path_of(event),
    })
end, { page_cnt = args.pages })

tool:header()
if started then
    started:go()
end
tool:run({ duration = args.duration, interval = started and 0.1, each = started and started:ends_with_it(io.open) })
