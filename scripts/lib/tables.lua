-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Lua tables of the script's that are not to be changed.

local M = {}

---A table with the same fields, and those of another on top.
---@param original table
---@param more? table
---@return table
function M.copy(original, more)
    local copy = {}
    for name, value in pairs(original) do
        copy[name] = value
    end
    for name, value in pairs(more or {}) do
        copy[name] = value
    end
    return copy
end

return M
