-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Which mutexes a thread takes while it holds which others, and who made the thread: the programs of `deadlock`.

local M = {}

M.TEXT = [[
#include <linux/sched.h>

#define MOST_HELD 16 // by one thread at a time
#define CLONE_THREAD_BIT 0x00010000

const volatile u32 tgid = 0;

struct held { u64 mutex, caller; int stack; };
struct thread { struct held held[MOST_HELD]; };
struct order { u64 held, taken; };
struct seen {
    u64 held_caller, taken_caller;
    u32 tid;
    int held_stack, taken_stack;
    char comm[TASK_COMM_LEN];
};
struct created { u64 caller; u32 tid; int stack; char comm[TASK_COMM_LEN]; };
BPF_HASH(threads, u32, struct thread, 65536);
BPF_HASH(orders, struct order, struct seen, 65536);
BPF_HASH(creating, u32, struct created, 65536); // by the thread that creates
BPF_HASH(creators, u32, struct created, 65536); // by the thread that was created
BPF_ARRAY(too_many, u64, 1); // mutexes beyond MOST_HELD
BPF_STACK_TRACE(stacks, 65536);

// Where the function returns to. Its frame is not made yet, which hides the caller from those who follow frame pointers.
static __always_inline u64 caller_of(struct pt_regs *ctx)
{
#ifdef __TARGET_ARCH_x86
    u64 address = 0;
    bpf_probe_read_user(&address, sizeof(address), (void *)PT_REGS_SP(ctx));
    return address;
#else
    return PT_REGS_RET(ctx);
#endif
}

int on_lock(struct pt_regs *ctx, void *mutex)
{
    u32 tid = bpf_get_current_pid_tgid();
    struct thread none = {}, *thread = threads.lookup_or_try_init(&tid, &none);
    if (!thread)
        return 0;
    u64 caller = caller_of(ctx);
    int stack = stacks.get_stackid(ctx, BPF_F_USER_STACK), free = -1;
    for (int i = 0; i < MOST_HELD; i++) {
        struct order order = { thread->held[i].mutex, (u64)mutex };
        if (order.held == order.taken) // a recursive mutex
            return 0;
        if (!order.held) {
            free = free < 0 ? i : free;
        } else if (!orders.lookup(&order)) {
            struct seen seen = { .tid = tid, .held_caller = thread->held[i].caller, .taken_caller = caller };
            seen.held_stack = thread->held[i].stack;
            seen.taken_stack = stack;
            bpf_get_current_comm(seen.comm, sizeof(seen.comm));
            orders.update(&order, &seen);
        }
    }
    if (free < 0 || free >= MOST_HELD) {
        too_many.atomic_increment(0);
        return 0;
    }
    thread->held[free].mutex = (u64)mutex;
    thread->held[free].stack = stack;
    thread->held[free].caller = caller;
    return 0;
}

int on_unlock(struct pt_regs *ctx, void *mutex)
{
    u32 tid = bpf_get_current_pid_tgid();
    struct thread *thread = threads.lookup(&tid);
    for (int i = 0; thread && i < MOST_HELD; i++)
        if (thread->held[i].mutex == (u64)mutex)
            thread->held[i].mutex = 0;
    return 0;
}

int on_create(struct pt_regs *ctx)
{
    u32 tid = bpf_get_current_pid_tgid();
    struct created created = { .caller = caller_of(ctx), .tid = tid };
    bpf_get_current_comm(created.comm, sizeof(created.comm));
    created.stack = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    creating.update(&tid, &created);
    return 0;
}

int on_thread(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    u32 tid = bpf_get_current_pid_tgid(), new = task->pid;
    struct created *created = creating.lookup(&tid);
    if (created && bpf_get_current_pid_tgid() >> 32 == tgid && ctx->args[1] & CLONE_THREAD_BIT)
        creators.update(&new, created);
    return 0;
}
]]

return M
