-- SPDX-License-Identifier: Apache-2.0
-- wakeuptime: who wakes a process that waits at a pipe, by which function of the kernel, and how long it slept.

local t = require("harness")
local programs = require("help.programs")
local stacks = require("help.stack_program")
local tool = require("help.tool")

t.test_unless(programs.lacking(), "a process that another one wakes", function()
    stacks.with(function(start)
        local pid = start("wake")
        local found = tool.run("wakeuptime", { "--json", "-p", pid }, function()
            BPF.sleep(0.7)
        end)
        local us = 0
        for _, row in ipairs(stacks.holding(found:rows(), { "vfs_write" })) do
            t.equal(row.target, "named")
            t.equal(row.comm, "waker")
            us = us + row.value
        end
        assert(us >= 195000 and us < 20000000, us)

        found = tool.run("wakeuptime", { "-u", "-m", 100000, "-f" }, function()
            BPF.sleep(0.5)
        end)
        assert(found.out:find("waker;[^\n]*vfs_write;[^\n]*;named %d+\n"), found.out)
    end)
end)
