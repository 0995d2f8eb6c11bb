-- SPDX-License-Identifier: Apache-2.0
-- How many calls of a function a return probe follows at once: more sleepers than that, and the kernel misses some.

local ffi = require("ffi")
local t = require("harness")
local kprobes = require("help.kprobes")

local SLEEPERS = 12

-- The returns of sleeps that lay over each other, and how many were missed.
local function returns(maxactive)
    local b = BPF({ text = [[
BPF_ARRAY(counts, u64, 2);
static int count(int which)
{
    char comm[16];

    bpf_get_current_comm(comm, sizeof(comm));
    if (comm[0] == 's' && comm[1] == 'l' && comm[2] == 'e')
        counts.atomic_increment(which);
    return 0;
}
int entered(void *ctx) { return count(0); }
int returned(void *ctx) { return count(1); }
]] })
    local event = b:get_syscall_fnname("clock_nanosleep")
    b:attach_kprobe({ event = event, fn_name = "entered", mechanism = "kprobe" })
    b:attach_kretprobe({ event = event, fn_name = "returned", maxactive = maxactive, mechanism = "kprobe" })
    t.equal(b:probes()[2].mechanism, "kprobe")
    -- All of them sleep before the first wakes up.
    local shell = io.popen(("for i in $(seq %d); do sleep 5 & done; wait"):format(SLEEPERS))
    shell:read("*a")
    shell:close()
    local entered, returned, missed = tonumber(b.counts[0]), tonumber(b.counts[1]), b:probes()[2].missed
    b:cleanup()
    t.equal(entered, SLEEPERS)
    return returned, missed
end

t.test_unless(kprobes.lacking, "enough of them, and none is missed", function()
    local returned = returns(128)
    t.equal(returned, SLEEPERS)
end)

t.test_unless(kprobes.lacking, "too few of them, and the others are missed", function()
    local returned = returns(3)
    t.equal(returned, 3)
end)

t.test_unless(kprobes.lacking, "the kernel's own number of them", function()
    t.equal(returns(nil) >= 1, true)
end)
