-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The tools fsslower and ext4slower and their kin, but for their heads.

local ffi = require("ffi")
local fs = require("bpflua.tool_fs")

local TEXT = [[
const volatile u64 min_ns = 0;

struct event {
    u64 ns, offset, ino;
    s64 result;
    u32 pid, tid, kind, mode;
    char comm[TASK_COMM_LEN];
    struct bpf_path_names path;
};

BPF_PERF_OUTPUT(events);
BPF_PERCPU_ARRAY(blank, struct event, 1);

static __always_inline int done(void *ctx, struct operation *operation, u64 ns, s64 result)
{
    u32 zero = 0, size;
    u64 id = bpf_get_current_pid_tgid();
    struct event *e = blank.lookup(&zero);
    struct file *file = operation->file;

    if (!e || ns < min_ns)
        return 0;
    e->ns = ns;
    e->offset = operation->offset;
    e->result = result;
    e->pid = id >> 32;
    e->tid = id;
    e->kind = operation->kind;
    e->mode = file->f_inode->i_mode;
    e->ino = file->f_inode->i_ino;
    bpf_get_current_comm(&e->comm, sizeof(e->comm));
    bpf_path_read(&e->path, file->f_path.mnt, file->f_path.dentry);
    size = offsetof(struct event, path.names) + e->path.size;
    if (size <= sizeof(*e))
        events.perf_submit(ctx, e, size);
    return 0;
}
]]

---Runs the tool.
---@param tool bpflua.Tool
---@param kind string of the file system
return function(tool, kind)
    local args = tool.args
    local b, by_calls = fs.attach_operations(tool, kind, TEXT, { only_pid = args.pid, min_ns = math.floor(args.min_ms * 1e6) }, args.syscalls)
    b.events:open_perf_buffer(function(_, event)
        local operation = fs.OPERATIONS[event.kind]
        local moves = operation == "read" or operation == "write"
        tool:print({
            time = os.date("%H:%M:%S"),
            comm = ffi.string(event.comm),
            pid = event.pid,
            op = operation:sub(1, 1):upper():gsub("F", "S"),
            bytes = moves and tonumber(event.result) or 0,
            offset = moves and tonumber(event.offset) / 1024 or 0,
            latency = tonumber(event.ns) / 1e6,
            file = fs.file_text(event.path, event.mode, event.ino),
        })
    end, { page_cnt = 128 })
    tool:say(("Tracing %s operations slower than %g ms%s. Ctrl-C ends."):format(kind, args.min_ms, by_calls and ", by their system calls" or ""))
    tool:header()
    tool:run({ duration = args.duration })
end
