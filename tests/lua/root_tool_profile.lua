-- SPDX-License-Identifier: Apache-2.0
-- profile: a process that is busy is found, by the name of its function, as often as it was looked at.

local t = require("harness")
local programs = require("help.programs")
local stacks = require("help.stack_program")
local tool = require("help.tool")

t.test_unless(programs.lacking(), "a busy function", function()
    stacks.with(function(start)
        local pid = start("spin")
        local used = function()
            local user, system = tool.sh(("cat /proc/%d/stat"):format(pid)):match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
            return (user + system) / 100
        end
        local before, looked
        local found = tool.run("profile", { "--json", "-F", 99, "-p", "1," .. pid }, function()
            before = used()
            BPF.sleep(1)
            looked = used() - before
        end)
        local seconds, samples, all = used() - before, 0, 0
        for _, row in ipairs(stacks.holding(found:rows(), { "spin_here", "main" })) do
            t.equal(row.pid, pid)
            t.equal(row.comm, "named")
            t.equal(row.unit, "samples")
            samples = samples + row.value
        end
        for _, row in ipairs(found:rows()) do
            assert(row.pid == pid or row.pid == 1, "only these processes were asked for")
            all = all + (row.pid == pid and row.value or 0)
        end
        -- It was looked at for longer than `looked`, and for less than `seconds`; an emulated CPU may take samples late.
        assert(samples > 0.9 * all, ("%d of %d samples are in its function"):format(samples, all))
        assert(samples >= 1 and samples < 99 * seconds * 1.3 + 10, ("%d samples in %s s"):format(samples, seconds))
        assert(samples > 99 * looked * 0.3, ("%d samples in %s s"):format(samples, looked))

        found = tool.run("profile", { "-f", "-U", "-C", "0", "-c", "1000000", "-p", pid }, function()
            tool.sh("taskset -p -c 0 " .. pid)
            BPF.sleep(0.5)
        end)
        assert(found.out:find("named;[^\n]*main;spin_here %d+\n"), found.out .. found.err)
        assert(not found.out:find("_entry", 1, true))
    end)
end)

t.test("options that exclude each other", function()
    for _, args in ipairs({ { "-p", "1", "-L", "1" }, { "-U", "-K" }, { "-F", "1", "-c", "1" } }) do
        local found = tool.start("profile", args):finish(false)
        t.equal(found.status, 1)
        t.contains(found.err, "exclude each other")
    end
    local found = tool.start("profile", { "-p", "1,x" }):finish(false)
    t.equal(found.status, 2)
    t.contains(found.err, "--pid: `x`")
end)
