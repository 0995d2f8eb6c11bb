-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "What is written to a terminal, as it appears there"
description = """
Shows the output of programs on a terminal or console: what write(2) and writev(2) hand to it. What is typed shows as far as it is echoed
by a program (a shell does, the terminal's own echo is no write)."""
parameters = [
  { name = "noclear", flags = "-C --noclear", type = "flag", help = "do not clear the screen at the start" },
  { name = "datasize", flags = "-s --datasize", type = "integer", range = [1, 4096], default = 256, help = "bytes that are read at once" },
  { name = "datacount", flags = "-c --datacount", type = "integer", range = [1, 64], default = 16, help = "how many times in a call; what is left is told" },
  { name = "device", type = "path", positional = true, required = true, help = "a terminal, /dev/tty0, or the number of a pts" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "size", width = 6, type = "integer", unit = "bytes" },
  { name = "data" },
]
examples = [
  { run = "/dev/pts/2", help = "the output of a pseudo-terminal" },
  { run = "2", help = "the same" },
  { run = "/dev/console", help = "the system's console" },
  { run = "2 --json", help = "each write with the process" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_write*"]
lua = ["ffi", "require"]
]==]

local ffi = require("ffi")
local fs = require("bpflua.tool_fs")
local native = require("bpflua.native")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/fs.h>
#include <linux/sched.h>
#include <bpflua/files.h>

#define MOST_DATA 4096
#define MOST_SEGMENTS 8

const volatile u32 device = 0, own_pid = 0, data_size = 256, data_count = 16;

struct call {
    u64 data;     // the bytes, or with `segments` an array of struct iovec
    u32 segments;
};

struct event {
    u32 pid, size, left;
    char comm[TASK_COMM_LEN];
    char data[MOST_DATA];
};

BPF_PERF_OUTPUT(events);
BPF_HASH(calls, u64, struct call, 10240);
BPF_PERCPU_ARRAY(blank, struct event, 1);

// Character devices of terminals: 4 (consoles, serial), 5 (/dev/tty, /dev/console), 136 to 143 (pts), and whichever was asked for.
static __always_inline bool is_device(struct file *file)
{
    struct inode *inode = file->f_inode;
    u32 dev = inode->i_rdev, major = dev >> 20;

    if (!S_ISCHR(inode->i_mode))
        return false;
    if (dev == device)
        return true;
    if (major != 4 && major != 5 && (major < 136 || major > 143))
        return false;
    // /dev/tty and its kin stand for another terminal.
    struct tty_file_private *own = file->private_data;
    struct tty_struct *tty = own ? own->tty : 0;
    return tty && ((u32)tty->driver->major << 20 | (tty->driver->minor_start + tty->index)) == device;
}

static __always_inline int enter(int fd, u64 data, u32 segments)
{
    u64 id = bpf_get_current_pid_tgid();
    struct file *file = id >> 32 == own_pid ? 0 : bpf_file_of(fd);
    struct call call = { data, segments };

    if (file && is_device(file))
        calls.update(&id, &call);
    return 0;
}

int enter_write(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], ctx->args[1], 0);
}

int enter_writev(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], ctx->args[1], ctx->args[2]);
}

// Hands over so many bytes in events of `data_size`; gives how many were left.
static __always_inline u32 emit(void *ctx, struct event *e, u64 data, u32 size)
{
    for (int i = 0; i < 64 && i < data_count && size; i++) {
        u32 part = size < data_size ? size : data_size;
        if (part > MOST_DATA)
            part = MOST_DATA;
        bpf_probe_read_user(e->data, part, (void *)data);
        e->size = part;
        size -= part;
        data += part;
        e->left = i + 1 == data_count ? size : 0;
        events.perf_submit(ctx, e, offsetof(struct event, data) + part);
    }
    return size;
}

int exit_write(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 zero = 0;
    s64 left = ctx->ret;
    struct call *found = calls.lookup(&id);
    struct event *e = blank.lookup(&zero);

    if (!found || !e)
        return 0;
    struct call call = *found;
    calls.delete(&id);
    e->pid = id >> 32;
    bpf_get_current_comm(&e->comm, sizeof(e->comm));
    if (!call.segments && left > 0) {
        emit(ctx, e, call.data, left);
        return 0;
    }
    for (int i = 0; i < MOST_SEGMENTS && i < call.segments && left > 0; i++) {
        u64 segment[2] = {}; // struct iovec: where, how long
        bpf_probe_read_user(segment, sizeof(segment), (void *)(call.data + i * sizeof(segment)));
        u32 size = segment[1] < left ? segment[1] : left;
        emit(ctx, e, segment[0], size);
        left -= size;
    }
    return 0;
}
]]

local path = args.device:find("^%d+$") and "/dev/pts/" .. args.device or args.device
local facts, why = fs.stat(path)
if not facts or fs.letter(facts.mode) ~= "C" then
    tool:fail(("cannot snoop on `%s`"):format(path), facts and "it is no character device" or BPF.strerror(why))
end

local b = BPF{
    text = TEXT,
    attach = false,
    constants = { device = facts.rdev, own_pid = fs.own_pid(), data_size = args.datasize, data_count = args.datacount },
}
tool:attach_syscalls(b, { "write" }, { enter = "enter_write", exit = "exit_write" })
tool:attach_syscalls(b, { "writev" }, { enter = "enter_writev", exit = "exit_write" })

b.events:open_perf_buffer(function(_, event)
    local data = ffi.string(event.data, event.size)
    tool:write(data, { pid = event.pid, comm = ffi.string(event.comm), size = event.size, data = data })
    if event.left > 0 then
        io.stderr:write(("\nnote: %d bytes of a write are not shown; -c %d shows more\n"):format(event.left, args.datacount * 2))
    end
end, { page_cnt = 256 })

if not args.noclear and native.terminal.is_output() then
    io.write("\27[H\27[2J")
end
tool:run({ duration = args.duration })
