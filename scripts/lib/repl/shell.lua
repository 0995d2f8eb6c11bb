-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `!command`: programs started from the prompt.

local M = {}

---Runs a shell's command.
---@param session bpflua.Session
---@param line string
function M.run(session, line)
    session:declare({ _pid = false })
    os.execute(line)
end

return M
