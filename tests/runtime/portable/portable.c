// SPDX-License-Identifier: Apache-2.0
// Reads members whose places differ between kernels; compiled under one kernel, it must find them in another.

#include <linux/sched.h>

struct event_t {
    u32 tid;
    u32 leader;
    u64 start_time;
    u64 now;
    char comm[TASK_COMM_LEN];
};
BPF_PERF_OUTPUT(events);

int on_call(struct pt_regs *ctx)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct event_t event = {};

    event.tid = task->pid;
    event.leader = task->group_leader->pid;
    event.start_time = task->start_time;
    event.now = bpf_ktime_get_ns();
    bpf_probe_read_kernel_str(&event.comm, sizeof(event.comm), task->comm);
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
