-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `BPF.tool()`, whose code is loaded by the scripts that are tools: all others start without it.

local M = {}

---What the script says of itself in its head (`--[==[ pack … ]==]`, or the `pack.toml` of its pack), put to use: its arguments are
---read, `--help`, wrong values and unknown options answered. Called again, it gives the same.
---@return bpflua.Tool
function M.tool()
    return require("bpflua.tool").get()
end

return M
