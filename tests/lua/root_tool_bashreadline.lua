-- SPDX-License-Identifier: Apache-2.0
-- bashreadline: the lines that are entered at a prompt.

local t = require("harness")
local tool = require("help.tool")
local prompt = require("help.prompt")

t.test("lines and their shell", function()
    local shell = prompt.start()
    local found = tool.run("bashreadline", { "--json" }, function(running)
        shell.enter()
        running:sees('"exit"')
    end)
    t.equal(found:row({ command = "echo hello $((40+2))" }).pid, shell.pid)
    t.equal(found:row({ command = "exit" }).pid, shell.pid)
end)

t.test("a program without readline", function()
    local outcome = tool.start("bashreadline", { "-s", "/bin/true" }):finish(false)
    t.equal(outcome.status, 3)
    t.contains(outcome.err, "readline")
end)
