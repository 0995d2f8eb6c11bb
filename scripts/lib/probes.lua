-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Which probes there are, by bpftrace's spelling: what `bpflua list` prints, for scripts and the prompt.

local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

---@class bpflua.ListedProbe
---@field text string as one-liners take it: `kprobe:vfs_read`
---@field kernel_module? string that its function is of
---@field is_traceable? boolean nil when the machine does not tell

-- `uprobe:PATH:` is every function of it.
local function whole(pattern)
    return pattern:sub(-1) == ":" and pattern .. "*" or pattern
end

---The probes that a pattern matches. Raises when there are none, with the names that are like it.
---@param pattern string `kprobe:tcp_*`, `tracepoint:sched:*`, `rawtracepoint:*`, `kfunc:vfs_*`, `uprobe:PATH:*`, `usdt:PATH:*`, `*:sched*`, or a word
---that kernel probes have in their names
---@param pid? integer the process whose program and libraries user probes are looked for in
---@return bpflua.ListedProbe[]
function M.list_probes(pattern, pid)
    errors.arguments("list_probes", { "pattern", "string!", "pid", "i32" }, pattern, pid)
    local found = native.probes.list(whole(pattern), pid)
    if #found == 0 then
        native.probes.nothing(pattern, pid)
    end
    return found
end

return M
