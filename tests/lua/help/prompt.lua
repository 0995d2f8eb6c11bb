-- SPDX-License-Identifier: Apache-2.0
-- A bash on a terminal of its own, for tools that look at terminals.

local tool = require("help.tool")

local M = {}

---Starts it.
---@return {terminal: string, pid: integer, enter: fun()} prompt `enter`: has it print `hello 42`, and end
function M.start()
    local note = tool.sh("mktemp -d"):gsub("\n", "") .. "/note"
    os.execute(("python3 help/prompt.py %s >/dev/null 2>&1 &"):format(note))
    local terminal, pid = tool.wait_for("a shell", function()
        return io.open(note)
    end):read("*a"):match("^(%S+) (%d+)")
    return {
        terminal = terminal,
        pid = tonumber(pid),
        enter = function()
            os.execute("touch " .. note .. ".go")
            tool.wait_for("the shell's end", function()
                return io.open(note .. ".done")
            end):close()
            os.execute("rm -rf " .. note:match("(.*)/"))
        end,
    }
end

return M
