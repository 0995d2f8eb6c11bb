-- SPDX-License-Identifier: Apache-2.0
-- NAME a kernel without BTF
-- REQUIRES root
-- AS without_btf

BPF{text = [[
#include <linux/sched.h>

int on_call(struct pt_regs *ctx)
{
    struct task_struct *task = (void *)bpf_get_current_task();

    return task->prio;
}
]]}
