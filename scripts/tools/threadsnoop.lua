-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Threads as they are created, with the function that they run"
description = """
Traces pthread_create(3) of the C library, in all processes."""
parameters = [
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", title = "TIME(ms)", width = 10, type = "number", decimals = 0, unit = "ms", right = false },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "func", title = "FUNC" },
]
examples = [
  { run = "", help = "until Ctrl-C" },
]
[requires]
attach = ["uprobe:c:pthread_create", "uprobe:pthread:pthread_create"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
struct event {
    u64 at, routine;
    u32 pid;
    char comm[TASK_COMM_LEN];
};
BPF_PERF_OUTPUT(events);

int on_create(struct pt_regs *ctx, void *thread, void *attr, void *function)
{
    struct event event = { .at = bpf_ktime_get_ns(), .routine = (u64)function, .pid = bpf_get_current_pid_tgid() >> 32 };
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]

local b = BPF{ text = TEXT }
-- A library of its own until glibc 2.34, where that is still there as a shell.
local name = #BPF.get_user_functions("c", "^pthread_create$") > 0 and "c" or "pthread"
b:attach_uprobe({ name = name, sym = "pthread_create", fn_name = "on_create" })

local start = BPF.monotonic_time()
b.events:open_perf_buffer(function(_, event)
    local func = BPF.sym(event.routine, event.pid)
    tool:print({
        time = tonumber(event.at - start) / 1e6,
        pid = event.pid,
        comm = ffi.string(event.comm),
        func = func ~= "[unknown]" and func or ("0x%x"):format(event.routine),
    })
end)

tool:header()
tool:run({ duration = args.duration })
