-- SPDX-License-Identifier: Apache-2.0
-- offwaketime: where a process waits, with the stack of the one that wakes it.

local t = require("harness")
local programs = require("help.programs")
local stacks = require("help.stack_program")
local tool = require("help.tool")

t.test_unless(programs.lacking(), "a process that another one wakes", function()
    stacks.with(function(start)
        local pid = start("wake")
        local found = tool.run("offwaketime", { "--json", "-p", pid, "-m", 100000 }, function()
            BPF.sleep(0.7)
        end)
        local us = 0
        for _, row in ipairs(stacks.holding(found:rows(), { "main", "wake_here", "vfs_write", "--", "vfs_read", "wait_here", "main" })) do
            t.equal(row.comm, "named")
            t.equal(row.pid, pid)
            t.equal(row.waker, "waker")
            assert(row.waker_pid ~= pid)
            us = us + row.value
        end
        assert(us >= 195000 and us < 20000000, us)

        found = tool.run("offwaketime", { "-f", "-U", "-p", pid, "-m", 100000 }, function()
            BPF.sleep(0.5)
        end)
        assert(found.out:find("named;[^\n]*main;wait_here;[^\n]*%-%-;[^\n]*wake_here;main;[^\n]*waker %d+\n"), found.out)
    end)
end)
