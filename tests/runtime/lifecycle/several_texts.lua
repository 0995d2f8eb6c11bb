-- SPDX-License-Identifier: Apache-2.0
-- NAME several texts that use the same members of kernel structs, compiled in one process
-- REQUIRES root, btf

local text = [[
#include <linux/sched.h>
BPF_HASH(seen, u32, u64);

int on_call(struct pt_regs *ctx)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    u32 key = task->tgid + task->group_leader->pid;

    if (key == 2 * PROCESS)
        seen.increment(task->pid);
    return 0;
}
]]

local ffi = require("ffi")
ffi.cdef("int getpgid(int pid); int getpid(void);")
for i = 1, 3 do
    local b = BPF{text = text, cflags = {"-DPROCESS=" .. ffi.C.getpid(), "-DNUMBER=" .. i}}
    b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "on_call"}
    ffi.C.getpgid(0)
    for key, count in b.seen:items() do
        print(i, key == ffi.C.getpid(), count)
    end
end
