-- SPDX-License-Identifier: Apache-2.0
-- The scheduler's switches, counted by the task that is left: structs as keys, counters of 64 and of 128 bits.

local ffi = require("ffi")
local t = require("harness")
local kprobes = require("help.kprobes")

ffi.cdef("int getpid(void);")

t.test_unless(kprobes.lacking, "switches by task", function()
    local b = BPF({ text = [[
struct task_key { u64 address; };
struct counters { char unused; __int128 switches; };
struct turn { u32 left, now; };
BPF_HASH(stats, struct task_key, struct counters, 1024);
BPF_HASH(turns, struct turn, u64, 4096);
BPF_ARRAY(total, u64, 1);
int on_switch(struct pt_regs *ctx, struct task_struct *left)
{
    struct task_key key = { .address = PT_REGS_PARM1(ctx) };
    struct turn turn = { .left = left->pid, .now = bpf_get_current_pid_tgid() };
    struct counters none, *found;
    u64 zero = 0, *count;

    memset(&none, 0, sizeof(none));
    found = stats.lookup_or_try_init(&key, &none);
    if (!found)
        return 0;
    found->switches++;
    count = turns.lookup_or_try_init(&turn, &zero);
    if (count)
        (*count)++;
    total.atomic_increment(0);
    return 0;
}
]] })
    b:attach_kprobe({ event_re = kprobes.TASK_SWITCH, fn_name = "on_switch", mechanism = "kprobe" })
    -- Each wait is a turn of another task.
    for _ = 1, 100 do
        BPF.sleep(0.01)
    end
    b:detach_kprobe({ event = ("/%s/"):format(kprobes.TASK_SWITCH) })
    local total, sum, seen, turns = tonumber(b.total[0]), 0, 0, 0
    for key, counters in b.stats:items() do
        t.equal(key.address > 0xffff800000000000ULL, true)
        local low = tonumber(counters.switches.lo)
        t.equal(counters.switches.hi, 0LL)
        t.equal(low > 0, true)
        sum, seen = sum + low, seen + 1
    end
    t.equal(sum, total)
    t.equal(seen > 1, true)
    local to_me = 0
    for turn, count in b.turns:items() do
        turns = turns + tonumber(count)
        to_me = to_me + (turn.now == ffi.C.getpid() and tonumber(count) or 0)
    end
    t.equal(turns, total)
    t.equal(to_me >= 100, true)
    b:cleanup()
end)
