-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Commands as they are entered at the prompts of all running bash shells"
description = """
Reads what readline() returns to bash: each line that is entered at a prompt, also those that are no commands. Scripts read no lines so."""
parameters = [
  { name = "shared", flags = "-s --shared", type = "path", help = "where readline() is: a library, or another shell than the bash in PATH" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this shell only" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 9 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "command" },
]
examples = [
  { run = "", help = "the bash in PATH" },
  { run = "-s /lib/x86_64-linux-gnu/libreadline.so.8", help = "programs that use the library" },
]
[requires]
attach = ["uretprobe:*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

struct event {
    u32 pid;
    char line[1024];
};

BPF_PERF_OUTPUT(events);
BPF_PERCPU_ARRAY(blank, struct event, 1);

int on_line(struct pt_regs *ctx)
{
    u32 zero = 0;
    struct event *e = blank.lookup(&zero);
    const char *line = (const char *)PT_REGS_RC(ctx);

    if (!e || !line)
        return 0;
    e->pid = bpf_get_current_pid_tgid() >> 32;
    int size = bpf_probe_read_user_str(e->line, sizeof(e->line), line);
    if (size > 0 && size <= sizeof(e->line))
        events.perf_submit(ctx, e, offsetof(struct event, line) + size);
    return 0;
}
]]

local path = args.shared or BPF.find_exe("bash")
if not path then
    tool:fail("cannot trace bash", "there is no `bash` in PATH; `-s FILE` names it")
end
local b = BPF{ text = TEXT, attach = false }
b:attach_uretprobe({ name = path, sym = "readline", fn_name = "on_line", pid = args.pid })

b.events:open_perf_buffer(function(_, event)
    tool:print({ time = os.date("%H:%M:%S"), pid = event.pid, command = ffi.string(event.line) })
end)

tool:header()
tool:run({ duration = args.duration })
