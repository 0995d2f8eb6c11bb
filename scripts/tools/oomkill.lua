-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Processes that the kernel kills because memory ran out, and who wanted more"
description = """
Of the whole machine or of a memory control group."""
parameters = [
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME", width = 8 },
  { name = "trigger_pid", title = "TRIGGER", width = 8, type = "integer", right = false },
  { name = "trigger_comm", title = "TRIGGER COMM", width = 16 },
  { name = "pid", title = "PID", width = 8, type = "integer", right = false },
  { name = "comm", title = "COMM", width = 16 },
  { name = "pages", title = "PAGES", width = 10, type = "integer", unit = "pages" },
  { name = "total_vm", title = "TOTAL_VM", width = 12, type = "integer", unit = "bytes" },
  { name = "loadavg", title = "LOADAVG" },
]
examples = [
  { run = "", help = "until Ctrl-C" },
]
[requires]
attach = ["raw_tracepoint:mark_victim", "kprobe:oom_kill_process", "fentry:oom_kill_process"]
lua = ["ffi", "io.open"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/oom.h>
#include <linux/sched.h>

struct event {
    u32 trigger_pid, pid;
    u64 pages;    // what there is of memory where it ran out; 0 where that is not known
    u64 total_vm; // bytes
    char trigger_comm[TASK_COMM_LEN], comm[TASK_COMM_LEN];
};
BPF_PERF_OUTPUT(events);

static __always_inline int tell(void *ctx, struct task_struct *victim, u64 pages)
{
    struct event event = { .pages = pages };
    event.trigger_pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(event.trigger_comm, sizeof(event.trigger_comm));
    event.pid = victim->tgid;
    event.total_vm = victim->mm->total_vm * PAGE_SIZE;
    bpf_probe_read_kernel_str(event.comm, sizeof(event.comm), victim->comm);
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}

int on_kill(struct pt_regs *ctx, struct oom_control *oc, const char *message)
{
    return tell(ctx, oc->chosen, oc->totalpages);
}

// Kernels from 6.9 hand over the process, older ones its number only.
int on_victim(struct bpf_raw_tracepoint_args *ctx)
{
    return tell(ctx, (struct task_struct *)ctx->args[0], 0);
}
]]

local b = BPF{ text = TEXT, attach = false }
local ways = { { { event = "oom_kill_process", fn_name = "on_kill" } } }
if BPF.kernel_struct_has_field("trace_event_raw_mark_victim", "total_vm") == 1 then
    ways[2] = { { raw_tp = "mark_victim", fn_name = "on_victim" } }
end
tool:attach(b, ways)

local function load_average()
    local file = io.open("/proc/loadavg")
    local text = file and file:read("*l")
    if file then
        file:close()
    end
    return text
end

b.events:open_perf_buffer(function(_, event)
    tool:print({
        time = os.date("%H:%M:%S"),
        trigger_pid = event.trigger_pid,
        trigger_comm = ffi.string(event.trigger_comm),
        pid = event.pid,
        comm = ffi.string(event.comm),
        pages = event.pages > 0 and event.pages or nil,
        total_vm = tonumber(event.total_vm),
        loadavg = load_average(),
    })
end)

tool:say("Tracing kills for want of memory... Ctrl-C ends it")
tool:header()
tool:run({ duration = args.duration })
