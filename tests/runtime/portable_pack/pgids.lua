-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Counts this thread's calls of getpgid(2)"
parameters = [
  { name = "calls", positional = true, type = "integer", default = 3, help = "how many to make" },
  { name = "twice", type = "flag", help = "count each call twice" },
]
columns = [{ name = "made", type = "integer" }, { name = "counted", type = "integer" }, { name = "parent", type = "boolean" }]
[requires]
attach = ["tracepoint:syscalls:sys_enter_getpgid"]
lua = ["ffi"]
]==]
local ffi = require("ffi")
ffi.cdef("int getpgid(int pid); int gettid(void); int getppid(void);")
local tool = BPF.tool()
local args = tool.args

local b = BPF{
    text = [[
#include <linux/sched.h>

const volatile u32 only_tid = 0, times = 1;
u64 counted;
u32 parent;

TRACEPOINT_PROBE(syscalls, sys_enter_getpgid)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if ((u32)bpf_get_current_pid_tgid() == only_tid) {
        counted += times;
        parent = task->real_parent->tgid;
    }
    return 0;
}
]],
    constants = { only_tid = ffi.C.gettid(), times = args.twice and 2 or 1 },
}
for _ = 1, args.calls do
    ffi.C.getpgid(0)
end
tool:print({ made = args.calls, counted = b.vars.counted, parent = b.vars.parent == ffi.C.getppid() })
