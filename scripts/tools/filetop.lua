-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "The files that are read and written most, and by whom, every second"
description = """
Counts read(2), write(2) and their kin by thread and file. Mapped files and io_uring are not counted."""
parameters = [
  { name = "all", flags = "-a --all-files", type = "flag", help = "count sockets, pipes, devices and so on, too" },
  { name = "noclear", flags = "-C --noclear", type = "flag", help = "do not clear the screen" },
  { name = "maxrows", flags = "-r --maxrows", type = "integer", range = [1, 100000], default = 20, help = "rows at most" },
  { name = "sort", flags = "-s --sort", type = "choice", choices = ["all", "reads", "writes", "rbytes", "wbytes"], default = "all", help = "sort by" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "count this process only" },
  { name = "read_only", flags = "--read-only", type = "flag", help = "count reads only" },
  { name = "write_only", flags = "--write-only", type = "flag", help = "count writes only" },
  { name = "directory", flags = "-d --directory", type = "path", help = "count files below this folder only" },
  { name = "interval", type = "duration", positional = true, default = "1", help = "time between two tables" },
  { name = "count", type = "integer", positional = true, range = [1, 1000000000], help = "number of tables" },
]
columns = [
  { name = "tid", width = 7, type = "integer", right = false },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "reads", width = 6, type = "integer" },
  { name = "writes", width = 6, type = "integer" },
  { name = "rkb", title = "R_Kb", width = 8, type = "number", decimals = 0, unit = "KiB" },
  { name = "wkb", title = "W_Kb", width = 8, type = "number", decimals = 0, unit = "KiB" },
  { name = "type", title = "T", width = 1 },
  { name = "file" },
]
examples = [
  { run = "", help = "a table each second" },
  { run = "-C 5 10", help = "ten tables of five seconds, one below the other" },
  { run = "-d /var/log -s writes", help = "files below /var/log by the number of writes" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_*read*", "tracepoint:syscalls:sys_*_*write*"]
lua = ["ffi", "io.open"]
]==]

local ffi = require("ffi")
local fs = require("bpflua.tool_fs")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/fs.h>
#include <linux/sched.h>
#include <bpflua/files.h>

#define DEPTH 48

const volatile u32 only_pid = 0, folder_dev = 0;
const volatile u64 folder_ino = 0;
const volatile bool all_files = false;

struct key {
    u64 ino;
    u32 dev, tid;
};

struct use {
    u64 reads, writes, read_bytes, written_bytes;
    u32 pid, mode;
    char comm[TASK_COMM_LEN];
    char name[128];
};

BPF_HASH(calls, u64, struct file *, 10240);
BPF_HASH(uses, struct key, struct use, 65536);
BPF_PERCPU_ARRAY(blank, struct use, 1);

static __always_inline bool is_below(struct file *file)
{
    struct dentry *dentry = file->f_path.dentry;

    if (!folder_ino)
        return true;
    for (int i = 0; i < DEPTH; i++) {
        struct inode *inode = dentry->d_inode;
        if (inode->i_ino == folder_ino && inode->i_sb->s_dev == folder_dev)
            return true;
        struct dentry *parent = dentry->d_parent;
        if (parent == dentry)
            return false;
        dentry = parent;
    }
    return false;
}

int enter(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    if (only_pid && id >> 32 != only_pid)
        return 0;
    struct file *file = bpf_file_of(ctx->args[0]);
    if (!file || (!all_files && !S_ISREG(file->f_inode->i_mode)) || !is_below(file))
        return 0;
    calls.update(&id, &file);
    return 0;
}

static __always_inline struct use *use_of(struct file *file, u64 id)
{
    struct inode *inode = file->f_inode;
    struct key key = { inode->i_ino, inode->i_sb->s_dev, id };
    struct use *use = uses.lookup(&key), *new_use;
    u32 zero = 0;

    if (use || !(new_use = blank.lookup(&zero)))
        return use;
    new_use->pid = id >> 32;
    new_use->mode = inode->i_mode;
    bpf_get_current_comm(&new_use->comm, sizeof(new_use->comm));
    new_use->name[0] = 0;
    bpf_probe_read_kernel_str(new_use->name, sizeof(new_use->name), file->f_path.dentry->d_name.name);
    return uses.lookup_or_try_init(&key, new_use);
}

static __always_inline int leave(s64 bytes, bool is_write)
{
    u64 id = bpf_get_current_pid_tgid();
    struct file **file = calls.lookup(&id);
    struct use *use = file ? use_of(*file, id) : 0;

    if (use && is_write) {
        lock_xadd(&use->writes, 1);
        lock_xadd(&use->written_bytes, bytes > 0 ? bytes : 0);
    } else if (use) {
        lock_xadd(&use->reads, 1);
        lock_xadd(&use->read_bytes, bytes > 0 ? bytes : 0);
    }
    calls.delete(&id);
    return 0;
}

int leave_read(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    return leave(ctx->ret, false);
}

int leave_write(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    return leave(ctx->ret, true);
}
]]

local folder
if args.directory then
    local why
    folder, why = fs.stat(args.directory)
    if not folder or fs.letter(folder.mode) ~= "D" then
        tool:fail(("cannot count the files below `%s`"):format(args.directory), folder and "it is no folder" or BPF.strerror(why))
    end
end

local b = BPF{
    text = TEXT,
    attach = false,
    constants = {
        only_pid = args.pid, all_files = args.all, folder_ino = folder and folder.ino, folder_dev = folder and folder.dev,
    },
}
if not args.write_only then
    tool:attach_syscalls(b, fs.READS, { enter = "enter", exit = "leave_read" })
end
if not args.read_only then
    tool:attach_syscalls(b, fs.WRITES, { enter = "enter", exit = "leave_write" })
end

local SORT = {
    all = function(row)
        return row.reads + row.writes + row.rkb + row.wkb
    end,
}
for name, column in pairs({ reads = "reads", writes = "writes", rbytes = "rkb", wbytes = "wkb" }) do
    SORT[name] = function(row)
        return row[column]
    end
end

local function rows()
    local list, by = {}, SORT[args.sort]
    for key, use in b.uses:drain() do
        list[#list + 1] = {
            tid = key.tid, pid = use.pid, comm = ffi.string(use.comm),
            reads = tonumber(use.reads), writes = tonumber(use.writes),
            rkb = tonumber(use.read_bytes) / 1024, wkb = tonumber(use.written_bytes) / 1024,
            type = fs.letter(use.mode),
            file = ffi.string(use.name),
        }
    end
    table.sort(list, function(a, c)
        return by(a) > by(c)
    end)
    for i = #list, args.maxrows + 1, -1 do
        list[i] = nil
    end
    return list
end

local function load_average()
    local file = io.open("/proc/loadavg")
    local text = file and file:read("*l") or "?"
    if file then
        file:close()
    end
    return text
end

tool:run({
    interval = args.interval,
    count = args.count,
    each = function()
        tool:view(rows(), { title = ("%s loadavg: %s"):format(os.date("%H:%M:%S"), load_average()), keep = args.noclear })
    end,
})
