-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Operations on files each second: reads, writes, opens and so on"
description = """
Counts calls of functions of the kernel's virtual file system, whoever calls them. Where functions cannot be probed it counts the system
calls that lead there, and says so."""
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "count this process only" },
  { name = "interval", type = "duration", positional = true, default = "1", help = "time between two lines" },
  { name = "count", type = "integer", positional = true, range = [1, 1000000000], help = "number of lines" },
]
columns = [
  { name = "time", width = 8 },
  { name = "read", title = "READ/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "write", title = "WRITE/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "fsync", title = "FSYNC/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "open", title = "OPEN/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "create", title = "CREATE/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "unlink", title = "UNLINK/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "mkdir", title = "MKDIR/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
  { name = "rmdir", title = "RMDIR/s", width = 8, type = "number", decimals = 0, unit = "1/s" },
]
examples = [
  { run = "", help = "a line each second" },
  { run = "-p 185 2 5", help = "process 185, five lines of two seconds" },
]
[requires]
attach = ["kprobe:vfs_*", "kprobe:security_inode_create", "tracepoint:syscalls:sys_*"]
]==]

local attach = require("bpflua.tool_attach")
local fs = require("bpflua.tool_fs")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/fs.h>
#include <linux/sched.h>
#include <bpflua/files.h>

#define FMODE_CREATED 0x100000 // include/linux/fs.h: the open made the file

const volatile u32 only_pid = 0;

enum { READ, WRITE, FSYNC, OPEN, CREATE, UNLINK, MKDIR, RMDIR, KINDS };

BPF_PERCPU_ARRAY(counts, u64, KINDS);

static __always_inline int count(int kind)
{
    if (!only_pid || bpf_get_current_pid_tgid() >> 32 == only_pid)
        counts.increment(kind);
    return 0;
}

int on_read(void *ctx) { return count(READ); }
int on_write(void *ctx) { return count(WRITE); }
int on_fsync(void *ctx) { return count(FSYNC); }
int on_open(void *ctx) { return count(OPEN); }
int on_create(void *ctx) { return count(CREATE); }
int on_unlink(void *ctx) { return count(UNLINK); }
int on_mkdir(void *ctx) { return count(MKDIR); }
int on_rmdir(void *ctx) { return count(RMDIR); }

int enter_unlinkat(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return count(ctx->args[2] & AT_REMOVEDIR ? RMDIR : UNLINK);
}

int exit_open(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    struct file *file = ctx->ret >= 0 ? bpf_file_of(ctx->ret) : 0;

    if (!file)
        return 0;
    if (file->f_mode & FMODE_CREATED)
        count(CREATE);
    return count(OPEN);
}
]]

local KINDS = { "read", "write", "fsync", "open", "create", "unlink", "mkdir", "rmdir" }
local FUNCTIONS = { create = "security_inode_create", fsync = "vfs_fsync_range" }
local CALLS = {
    read = { "read", "pread64" }, write = { "write", "pwrite64" }, fsync = { "fsync", "fdatasync" },
    unlink = { "unlink" }, mkdir = { "mkdir", "mkdirat" }, rmdir = { "rmdir" },
}

local b = BPF{ text = TEXT, attach = false, constants = { only_pid = args.pid } }

local function functions()
    local way = {}
    for _, kind in ipairs(KINDS) do
        way[#way + 1] = { event = FUNCTIONS[kind] or "vfs_" .. kind, fn_name = "on_" .. kind }
    end
    return way
end

local function calls()
    local parts = {
        (attach.of_syscalls({ "unlinkat" }, { enter = "enter_unlinkat" })),
        (attach.of_syscalls(fs.OPENS, { exit = "exit_open" })),
    }
    for kind, names in pairs(CALLS) do
        parts[#parts + 1] = attach.of_syscalls(names, { enter = "on_" .. kind })
    end
    return attach.together(unpack(parts))
end

if tool:attach(b, { functions(), calls() }) == 2 then
    io.stderr:write("note: this kernel lets no functions be probed; system calls are counted\n")
end

local last = {}
local at = BPF.monotonic_time()

local function line()
    local now = BPF.monotonic_time()
    local seconds = tonumber(now - at) / 1e9
    at = now
    local row = { time = os.date("%H:%M:%S") }
    for i, kind in ipairs(KINDS) do
        local sum = tonumber(b.counts:sum(i - 1))
        row[kind] = (sum - (last[kind] or 0)) / seconds
        last[kind] = sum
    end
    tool:print(row)
end

tool:header()
tool:run({ interval = args.interval, count = args.count, each = line })
