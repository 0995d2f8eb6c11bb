-- SPDX-License-Identifier: Apache-2.0
-- offcputime: the time that a process sleeps is found under the function that sleeps.

local t = require("harness")
local programs = require("help.programs")
local stacks = require("help.stack_program")
local tool = require("help.tool")

t.test_unless(programs.lacking(), "a sleep of 0.7 s", function()
    stacks.with(function(start)
        local pid = start("sleep")
        local found = tool.run("offcputime", { "--json", "-p", pid, "-m", 500000 }, function()
            BPF.sleep(1.6)
        end)
        local rows = stacks.holding(found:rows(), { "sleep_here", "main" })
        t.equal(#rows, 1)
        -- Whole sleeps of 0.7 s: one or two fit in.
        local us = rows[1].value
        assert(us >= 690000 and us < 1000000 or us >= 1390000 and us < 3000000, us)
        t.equal(rows[1].comm, "named")
        t.equal(rows[1].pid, pid)
        t.equal(rows[1].unit, "us")
        assert(rows[1].frames[1]:find("schedule"), rows[1].frames[1])

        -- It sleeps interruptibly, and has one thread.
        found = tool.run("offcputime", { "-f", "-d", "-t", pid, "-m", 500000, "--state", 1, "-M", 20000000 }, function()
            BPF.sleep(1.5)
        end)
        assert(found.out:find("named;[^\n]*main;sleep_here[^\n]*;%-%-;[^\n]*schedule %d+\n"), found.out)
        found = tool.run("offcputime", { "-f", "-p", pid, "--state", 2 }, function()
            BPF.sleep(0.8)
        end)
        t.equal(found.out, "")
    end)
end)
