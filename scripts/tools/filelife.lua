-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Files that do not live long: how old they were when they were removed"
description = """
Files that were created by open(2) or its kin since the start, as they are unlinked, by whoever unlinks them. Files that are older than
the trace, and those whose removal fails, are not shown."""
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "show what this process creates or removes only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "age", title = "AGE(s)", width = 9, type = "number", decimals = 3, unit = "s", right = false },
  { name = "file" },
]
examples = [
  { run = "", help = "every file that was created and removed" },
  { run = "-p 181", help = "files that process 181 creates and removes" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_open*", "tracepoint:syscalls:sys_*_creat", "kprobe:security_inode_unlink", "kretprobe:vfs_unlink", "tracepoint:syscalls:sys_*_unlink*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local attach = require("bpflua.tool_attach")
local fs = require("bpflua.tool_fs")
local paths = require("bpflua.tool_paths")
local recent = require("bpflua.tool_recent")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/fs.h>
#include <linux/sched.h>
#include <bpflua/files.h>

#define FMODE_CREATED 0x100000 // include/linux/fs.h: the open made the file

const volatile u32 only_pid = 0;

enum { REMOVED, CREATED, REMOVED_BY_PATH };

struct file_id { u64 ino, dev; };

struct removal {
    u64 age;
    struct file_id id;
    char name[256];
};

struct call {
    const char *name;
    int dfd;
};

struct event {
    u64 at, age;
    u32 pid, kind;
    char comm[TASK_COMM_LEN];
    char name[256];
    struct bpf_path_names path;
};

// One buffer for all CPUs: a file is created before it is removed.
BPF_RINGBUF_OUTPUT(events, 256);
BPF_TABLE("lru_hash", struct file_id, u64, born, 65536);
BPF_HASH(removals, u64, struct removal, 1024);
BPF_HASH(calls, u64, struct call, 10240);
BPF_PERCPU_ARRAY(blank, struct event, 1);
BPF_PERCPU_ARRAY(blank_removal, struct removal, 1);

static __always_inline struct event *new_event(u32 kind)
{
    u32 zero = 0;
    struct event *e = blank.lookup(&zero);

    if (!e)
        return 0;
    e->at = bpf_ktime_get_ns();
    e->age = 0;
    e->kind = kind;
    e->pid = bpf_get_current_pid_tgid() >> 32;
    e->name[0] = 0;
    e->path.size = 0;
    bpf_get_current_comm(&e->comm, sizeof(e->comm));
    return e;
}

static __always_inline void submit(struct event *e)
{
    u32 size = offsetof(struct event, path.names) + e->path.size;

    if (size <= sizeof(*e))
        events.ringbuf_output(e, size, 0);
}

static __always_inline bool is_other(void)
{
    return only_pid && bpf_get_current_pid_tgid() >> 32 != only_pid;
}

// The file that an open made.
static __always_inline struct file *made(s64 fd)
{
    struct file *file = fd >= 0 ? bpf_file_of(fd) : 0;

    return file && !is_other() && file->f_mode & FMODE_CREATED ? file : 0;
}

int exit_open(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    struct file *file = made(ctx->ret);

    if (!file)
        return 0;
    struct inode *inode = file->f_inode;
    struct file_id id = { inode->i_ino, inode->i_sb->s_dev };
    u64 now = bpf_ktime_get_ns();
    born.update(&id, &now);
    return 0;
}

int exit_open_by_path(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    struct file *file = made(ctx->ret);
    struct event *e = file ? new_event(CREATED) : 0;

    if (!e)
        return 0;
    bpf_path_read(&e->path, file->f_path.mnt, file->f_path.dentry);
    submit(e);
    return 0;
}

int on_unlink(struct pt_regs *ctx, struct inode *dir, struct dentry *dentry)
{
    struct inode *inode = dentry->d_inode;
    struct file_id id = { inode->i_ino, inode->i_sb->s_dev };
    u64 *begin = born.lookup(&id), thread = bpf_get_current_pid_tgid();
    u32 zero = 0;
    struct removal *removal = blank_removal.lookup(&zero);

    if (!begin || !removal || is_other())
        return 0;
    removal->age = bpf_ktime_get_ns() - *begin;
    removal->id = id;
    bpf_probe_read_kernel_str(removal->name, sizeof(removal->name), dentry->d_name.name);
    removals.update(&thread, removal);
    return 0;
}

int on_unlinked(struct pt_regs *ctx)
{
    u64 thread = bpf_get_current_pid_tgid();
    struct removal *removal = removals.lookup(&thread);
    struct event *e = removal ? new_event(REMOVED) : 0;

    if (!e)
        return 0;
    if (PT_REGS_RC(ctx) == 0) {
        e->age = removal->age;
        __builtin_memcpy(e->name, removal->name, sizeof(e->name));
        born.delete(&removal->id);
        submit(e);
    }
    removals.delete(&thread);
    return 0;
}

static __always_inline int enter(const char *name, int dfd)
{
    u64 thread = bpf_get_current_pid_tgid();
    struct call call = { name, dfd };

    if (!is_other())
        calls.update(&thread, &call);
    return 0;
}

int enter_unlink(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter((const char *)ctx->args[0], AT_FDCWD);
}

int enter_unlinkat(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return ctx->args[2] & AT_REMOVEDIR ? 0 : enter((const char *)ctx->args[1], ctx->args[0]);
}

int exit_unlink(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 thread = bpf_get_current_pid_tgid();
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct call *call = calls.lookup(&thread);
    struct event *e = call && ctx->ret == 0 ? new_event(REMOVED_BY_PATH) : 0;

    if (e) {
        bpf_probe_read_user_str(e->name, sizeof(e->name), call->name);
        struct file *folder = call->dfd == AT_FDCWD ? 0 : bpf_file_of(call->dfd);
        if (folder)
            bpf_path_read(&e->path, folder->f_path.mnt, folder->f_path.dentry);
        else
            bpf_path_read(&e->path, task->fs->pwd.mnt, task->fs->pwd.dentry);
        submit(e);
    }
    calls.delete(&thread);
    return 0;
}
]]

local b = BPF{ text = TEXT, attach = false, constants = { only_pid = args.pid } }
local by_function = attach.together((attach.of_syscalls(fs.OPENS, { exit = "exit_open" })), {
    { event = "security_inode_unlink", fn_name = "on_unlink" },
    { event = "vfs_unlink", fn_name = "on_unlinked", retprobe = true },
})
local by_path = attach.together(
    (attach.of_syscalls(fs.OPENS, { exit = "exit_open_by_path" })),
    (attach.of_syscalls({ "unlink" }, { enter = "enter_unlink", exit = "exit_unlink" })),
    (attach.of_syscalls({ "unlinkat" }, { enter = "enter_unlinkat", exit = "exit_unlink" }))
)
tool:attach(b, { by_function, by_path })

-- When files were created, by their paths.
local CREATED, REMOVED_BY_PATH = 1, 2
local born = recent.new(65536)

local function age_by_path(event)
    local path = paths.join(paths.text(event.path), ffi.string(event.name))
    local begin = born:take(path)
    return begin and event.at - begin, path:match("[^/]*$")
end

b.events:open_ring_buffer(function(_, event)
    local age, name = event.age, ffi.string(event.name)
    if event.kind == CREATED then
        return born:put(paths.text(event.path), event.at + 0)
    elseif event.kind == REMOVED_BY_PATH then
        age, name = age_by_path(event)
    end
    if age then
        tool:print({ time = os.date("%H:%M:%S"), pid = event.pid, comm = ffi.string(event.comm), age = tonumber(age) / 1e9, file = name })
    end
end)

tool:header()
tool:run({ duration = args.duration })
