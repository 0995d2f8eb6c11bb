-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Calls that mount and unmount file systems, with their arguments"
description = """
Traces mount(2), umount2(2) and the calls that take their place: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount and mount_setattr."""
parameters = [
  { name = "parent", flags = "-P --parent_process", type = "flag", help = "show the parent process, too" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "comm", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "tid", width = 7, type = "integer", right = false },
  { name = "pcomm", width = 16, when = "parent" },
  { name = "ppid", width = 7, type = "integer", right = false, when = "parent" },
  { name = "mnt_ns", width = 11, type = "integer", right = false },
  { name = "ret", width = 4, type = "integer" },
  { name = "call" },
]
examples = [
  { run = "", help = "every call" },
  { run = "-P", help = "with the parents of those who call" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_*mount*", "tracepoint:syscalls:sys_*_fs*", "tracepoint:syscalls:sys_*_open_tree"]
lua = ["ffi"]
]==]

local bit = require("bit")
local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

#define MOST_ARGS 5
#define TEXT_SIZE 256

struct call {
    u64 args[MOST_ARGS];
};

struct event {
    u64 args[MOST_ARGS];
    u64 ns;
    u32 pid, tid, ppid;
    int number, ret;
    char comm[TASK_COMM_LEN], pcomm[TASK_COMM_LEN];
    char texts[MOST_ARGS][TEXT_SIZE]; // of arguments that are pointers, as far as they are texts
};

BPF_PERF_OUTPUT(events);
BPF_HASH(calls, u64, struct call, 10240);
BPF_PERCPU_ARRAY(blank, struct event, 1);

static __always_inline int enter(u64 a, u64 b, u64 c, u64 d, u64 e)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call call = { { a, b, c, d, e } };

    if (!container_should_be_filtered())
        calls.update(&id, &call);
    return 0;
}

// By the number of arguments: a tracepoint's record ends with the last one.
int enter_2(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], ctx->args[1], 0, 0, 0);
}

int enter_3(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], ctx->args[1], ctx->args[2], 0, 0);
}

int enter_5(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], ctx->args[1], ctx->args[2], ctx->args[3], ctx->args[4]);
}

int exit_call(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 zero = 0;
    struct call *call = calls.lookup(&id);
    struct event *e = blank.lookup(&zero);
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();

    if (!call || !e)
        return 0;
    e->number = ctx->id;
    e->ret = ctx->ret;
    e->pid = id >> 32;
    e->tid = id;
    e->ppid = task->real_parent->tgid;
    e->ns = task->nsproxy->mnt_ns->ns.inum;
    bpf_get_current_comm(&e->comm, sizeof(e->comm));
    bpf_probe_read_kernel_str(e->pcomm, sizeof(e->pcomm), task->real_parent->comm);
    for (int i = 0; i < MOST_ARGS; i++) {
        e->args[i] = call->args[i];
        e->texts[i][0] = 0;
        bpf_probe_read_user_str(e->texts[i], TEXT_SIZE, (void *)call->args[i]);
    }
    calls.delete(&id);
    events.perf_submit(ctx, e, sizeof(*e));
    return 0;
}
]]

-- Names of bits: include/uapi/linux/mount.h.
local MS = {
    { 1, "MS_RDONLY" }, { 2, "MS_NOSUID" }, { 4, "MS_NODEV" }, { 8, "MS_NOEXEC" }, { 0x10, "MS_SYNCHRONOUS" }, { 0x20, "MS_REMOUNT" },
    { 0x40, "MS_MANDLOCK" }, { 0x80, "MS_DIRSYNC" }, { 0x100, "MS_NOSYMFOLLOW" }, { 0x400, "MS_NOATIME" }, { 0x800, "MS_NODIRATIME" },
    { 0x1000, "MS_BIND" }, { 0x2000, "MS_MOVE" }, { 0x4000, "MS_REC" }, { 0x8000, "MS_SILENT" }, { 0x10000, "MS_POSIXACL" },
    { 0x20000, "MS_UNBINDABLE" }, { 0x40000, "MS_PRIVATE" }, { 0x80000, "MS_SLAVE" }, { 0x100000, "MS_SHARED" }, { 0x200000, "MS_RELATIME" },
    { 0x800000, "MS_I_VERSION" }, { 0x1000000, "MS_STRICTATIME" }, { 0x2000000, "MS_LAZYTIME" },
}
local MNT = { { 1, "MNT_FORCE" }, { 2, "MNT_DETACH" }, { 4, "MNT_EXPIRE" }, { 8, "UMOUNT_NOFOLLOW" } }
local COMMANDS = {
    [0] = "FSCONFIG_SET_FLAG", "FSCONFIG_SET_STRING", "FSCONFIG_SET_BINARY", "FSCONFIG_SET_PATH", "FSCONFIG_SET_PATH_EMPTY", "FSCONFIG_SET_FD",
    "FSCONFIG_CMD_CREATE", "FSCONFIG_CMD_RECONFIGURE", "FSCONFIG_CMD_CREATE_EXCL",
}

local function flags(names)
    return function(value)
        local words, left = {}, bit.tobit(tonumber(bit.band(value, 0xffffffffULL)))
        for _, one in ipairs(names) do
            if bit.band(left, one[1]) ~= 0 then
                words[#words + 1], left = one[2], bit.band(left, bit.bnot(one[1]))
            end
        end
        if left ~= 0 or #words == 0 then
            words[#words + 1] = left == 0 and "0" or ("0x%x"):format(left)
        end
        return table.concat(words, "|")
    end
end

local function number(value)
    return tostring(bit.tobit(tonumber(bit.band(value, 0xffffffffULL))))
end

local function folder(value)
    local fd = number(value)
    return fd == "-100" and "AT_FDCWD" or fd
end

local function command(value)
    return COMMANDS[tonumber(bit.band(value, 0xffffffffULL))] or number(value)
end

local function text(value, written)
    if value == 0 then
        return "NULL"
    end
    return '"' .. written:gsub('[\\"]', "\\%0"):gsub("%c", "?") .. '"'
end

local function hex(value)
    return ("0x%x"):format(value)
end

-- The calls by their tracepoints' names: what they are called, and how each argument is shown.
local CALLS = {
    mount = { "mount", text, text, text, flags(MS), text },
    umount = { "umount2", text, flags(MNT) },
    fsopen = { "fsopen", text, hex },
    fsconfig = { "fsconfig", number, command, text, text, number },
    fsmount = { "fsmount", number, hex, hex },
    fspick = { "fspick", folder, text, hex },
    open_tree = { "open_tree", folder, text, hex },
    move_mount = { "move_mount", folder, text, folder, text, hex },
    mount_setattr = { "mount_setattr", folder, text, hex, hex, number },
}

local b = BPF{ text = BPF.filter_by_containers(args) .. TEXT, attach = false }
for name, call in pairs(CALLS) do
    if BPF.tracepoint_exists("syscalls", "sys_enter_" .. name) then
        tool:attach_syscalls(b, { name }, { enter = "enter_" .. #call - 1, exit = "exit_call" })
    end
end

local by_name = {}
for _, call in pairs(CALLS) do
    by_name[call[1]] = call
end

local function call_text(event)
    local name = BPF.syscall_name(event.number)
    local call = by_name[name]
    if not call then
        return name .. "(…)"
    end
    local shown = {}
    for i = 2, #call do
        shown[i - 1] = call[i](event.args[i - 2], ffi.string(event.texts[i - 2]))
    end
    local ret = event.ret < 0 and BPF.errno_name(-event.ret) and "-" .. BPF.errno_name(-event.ret) or event.ret
    return ("%s(%s) = %s"):format(name, table.concat(shown, ", "), ret)
end

b.events:open_perf_buffer(function(_, event)
    tool:print({
        comm = ffi.string(event.comm),
        pid = event.pid,
        tid = event.tid,
        pcomm = ffi.string(event.pcomm),
        ppid = event.ppid,
        mnt_ns = tonumber(event.ns),
        ret = event.ret,
        call = call_text(event),
    })
end)

tool:header()
tool:run({ duration = args.duration })
