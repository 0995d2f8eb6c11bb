-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Tracepoints of many system calls at once. The kernel takes some ten milliseconds to attach to each, and more to detach: 360
-- of them are half a minute. What they have in common is one tracepoint of all system calls, `raw_syscalls:sys_enter`
-- (`sys_exit`), whose record has the call's number: it takes their place where a one-liner reads nothing else of theirs.

local native = require("bpflua.native")

local M = {}

-- So few are attached one by one, as they were named.
local FEW = 8
-- Numbers of system calls are below this.
local MOST_CALLS = 1024

-- Calls whose tracepoints are called by the function that the kernel defines rather than by the call.
local BY_FUNCTION = {
    stat = "newstat", fstat = "newfstat", lstat = "newlstat", uname = "newuname", sendfile = "sendfile64", umount2 = "umount",
}

local function parts(probe)
    local facts = probe.facts
    if facts.kind == "tracepoint" and facts.category == "syscalls" then
        return facts.name:match("^sys_(e[nx][it][et]?r?)_(.*)$")
    end
end

---Whether a probe is at the beginning or at the end of a system call: "enter", "exit", or nil for neither.
---@param probe OnelinerProbe
---@return string?
function M.side(probe)
    return (parts(probe))
end

-- The probes' numbers by those of the calls; nil when a probe's call is not known.
local function by_call(probes)
    local wanted, left = {}, 0
    for _, probe in ipairs(probes) do
        local _, call = parts(probe)
        if not call then
            return nil
        end
        wanted[call], left = probe.number, left + 1
    end
    local table_of_calls, last = {}, 0
    for number = 0, MOST_CALLS - 1 do
        local name = native.kernel.syscall_name(number)
        local found = name and (wanted[name] or wanted[BY_FUNCTION[name]])
        if found then
            table_of_calls[number], last, left = found, number, left - 1
        end
    end
    return left == 0 and table_of_calls or nil, last
end

---What takes the place of a group's tracepoints; nil where they are attached one by one.
---@param group OnelinerGroup
---@return {side: string, calls: table<integer, integer>, last: integer}?
function M.common(group)
    local side = M.side(group.body.probe)
    if not side or #group.probes <= FEW or next(group.body.used) then
        return nil
    end
    local calls, last = by_call(group.probes)
    return calls and { side = side, calls = calls, last = last }
end

---The C that finds out which probe it is: a table, and the statements that look into it.
---@param common {side: string, calls: table<integer, integer>, last: integer}
---@param name string the function's
---@return string declaration
---@return string[] statements
function M.code(common, name)
    local entries = {}
    for number = 0, common.last do
        entries[number + 1] = tostring(common.calls[number] or 0)
    end
    local declaration = ("static const u16 probes_%s[%d] = { %s };"):format(name, common.last + 1, table.concat(entries, ", "))
    return declaration, {
        ("u64 call = args->id, probe = call < %d ? probes_%s[call] : 0;"):format(common.last + 1, name),
        "if (!probe) return 0;",
    }
end

return M
