-- SPDX-License-Identifier: Apache-2.0
--[==[ pack
summary = "Wrong arguments of the functions of tools"
columns = [{ name = "pid", type = "integer" }]
[outputs.more]
columns = [{ name = "comm" }]
]==]

local t = require("harness")
local calls = require("shared.bad_calls")

local tool = BPF.tool()

t.test("tools and their outputs", function()
    local report = calls.report()
    report:class("bpflua.Tool", { receiver = tool })
    report:class("bpflua.ToolOutput", { receiver = tool.out.more })
    report:finish(60)
    t.contains(t.fails(tool.print, tool, { pidd = 1 }), "the output has no column `pidd`")
    t.contains(t.fails(tool.out.more.print, tool.out.more, { pid = 1 }), "the output has no column `pid`")
end)

t.test("no public function is left out", function()
    calls.nothing_left_out("bad_input_tools")
end)
