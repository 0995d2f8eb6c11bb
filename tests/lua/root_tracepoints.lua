-- SPDX-License-Identifier: Apache-2.0
-- Tracepoints: what their records say, against what the machine did; the text in them.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void);")

t.test("the scheduler's switches, by the task that comes next", function()
    local b = BPF({ text = [[
BPF_HASH(switches, u32, u64);
TRACEPOINT_PROBE(sched, sched_switch)
{
    u64 zero = 0, *count;
    u32 next = args->next_pid;

    count = switches.lookup_or_try_init(&next, &zero);
    if (count)
        (*count)++;
    return 0;
}
]] })
    -- Each wait ends with a switch to this task, but for those that found something to do at once.
    for _ = 1, 60 do
        BPF.sleep(0.01)
    end
    b:detach_tracepoint({ tp = "sched:sched_switch" })
    local all = 0
    for _, count in b.switches:items() do
        all = all + tonumber(count)
    end
    local mine = tonumber(b.switches[ffi.C.getpid()] or 0)
    t.equal(mine >= 30, true)
    t.equal(all > mine, true)
    b:cleanup()
end)

t.test("the name of a program that is started", function()
    local b = BPF({ text = [[
struct name_t { char filename[64]; };
BPF_HASH(execs, u32, struct name_t);
TRACEPOINT_PROBE(sched, sched_process_exec)
{
    struct name_t none = {}, *found;
    char filename[64];
    u32 pid = args->pid;

    found = execs.lookup_or_try_init(&pid, &none);
    TP_DATA_LOC_READ_CONST(filename, filename, 64);
    if (found)
        __builtin_memcpy(found->filename, filename, 64);
    return 0;
}
]] })
    local shell = io.popen("sh -c 'echo $$; exec /bin/ls / >/dev/null'")
    local pid = tonumber(shell:read("*l"))
    shell:close()
    t.equal(ffi.string(b.execs[pid].filename), "/bin/ls")
    b:cleanup()
end)
