-- SPDX-License-Identifier: Apache-2.0
-- Processes that keep CPU 0 busy while a function runs.

local tool = require("help.tool")

local M = {}

---@param count integer
---@param body fun(pids: integer[])
function M.with(count, body)
    local pids = {}
    for _ = 1, count do
        -- It ends by itself, should nobody be there any more to end it.
        local pid = tool.sh("taskset -c 0 perl -e 'my $end = time + 600; 1 while time < $end' >/dev/null 2>&1 & echo $!")
        pids[#pids + 1] = tonumber(pid)
    end
    local ok, why = xpcall(body, debug.traceback, pids)
    for _, pid in ipairs(pids) do
        os.execute("kill " .. pid)
    end
    assert(ok, why)
end

return M
