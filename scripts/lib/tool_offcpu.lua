-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What offcputime and offwaketime share: which threads are looked at, and how long they have to be off their CPU.

local M = {}

-- Stands in front of a tool's text.
local HEAD = [[
#include <linux/sched.h>

#define PF_KTHREAD_BIT 0x00200000
enum { ALL, PROCESSES, THREADS, OF_USERS, OF_KERNEL };
const volatile u32 only = ALL, states = 0;
const volatile bool by_state = false, with_kernel = true, with_user = true;
const volatile u64 shortest = 0, longest = -1; // nanoseconds

BPF_HASH(wanted, u32, u8, 4096);
BPF_STACK_TRACE(stacks, 16384);

static __always_inline bool is_wanted(struct task_struct *task)
{
    u32 tgid = task->tgid, tid = task->pid;
    long state = bpf_core_field_exists(task->state) ? task->state : task->__state;
    if (!tid || state & 0x80) // idle, or TASK_DEAD: it never runs again
        return false;
    if (by_state && (states ? !(state & states) : state))
        return false;
    if (only == PROCESSES)
        return wanted.lookup(&tgid);
    if (only == THREADS)
        return wanted.lookup(&tid);
    bool is_of_kernel = task->flags & PF_KTHREAD_BIT;
    return only == ALL || is_of_kernel == (only == OF_KERNEL);
}
]]

-- Stands behind it: what follows needs its maps `off` (by thread, `struct left` with `at` and `key`) and `times` (by key).
local TAIL = [[
static __always_inline void comes_back(struct task_struct *next, u64 now)
{
    u32 tid = next->pid;
    struct left *left = off.lookup(&tid);
    if (!left)
        return;
    u64 time = now - left->at;
    if (time >= shortest && time <= longest)
        times.atomic_increment(left->key, time);
    off.delete(&tid);
}
]]

---Ends the tool when its options exclude each other.
---@param tool bpflua.Tool
function M.check(tool)
    local args = tool.args
    local ways = (#args.pid > 0 and 1 or 0) + (#args.tid > 0 and 1 or 0) + (args.user_threads and 1 or 0) + (args.kernel_threads and 1 or 0)
    if ways > 1 then
        tool:fail("cannot choose threads in two ways", "-p, -t, -u and -k exclude each other")
    elseif args.user_only and args.kernel_only then
        tool:fail("cannot leave out all stacks", "-U and -K exclude each other")
    end
end

---Compiles a tool's C, with the threads that its options choose; nothing is attached.
---@param tool bpflua.Tool
---@param maps string C: `struct key`, `struct left`, the maps `off` and `times`
---@param probes string C: the functions, which may call `is_wanted(task)` and `comes_back(next, now)`
---@return bpflua.BPF
function M.open(tool, maps, probes)
    local args = tool.args
    local b = BPF({
        text = HEAD .. maps .. TAIL .. probes,
        constants = {
            only = #args.pid > 0 and 1 or #args.tid > 0 and 2 or args.user_threads and 3 or args.kernel_threads and 4 or 0,
            by_state = args.state ~= nil,
            states = args.state or 0,
            with_kernel = not args.user_only,
            with_user = not args.kernel_only,
            shortest = args.min_block_time * 1000,
            longest = args.max_block_time and args.max_block_time * 1000 or nil,
        },
        maps = { stacks = { max_entries = args.stack_storage_size } },
        attach = false,
    })
    for _, id in ipairs(#args.pid > 0 and args.pid or args.tid) do
        b.wanted[id] = 1
    end
    return b
end

return M
