-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Stacks as a person reads them: a function a line, innermost first, kernel and user space told apart by the address.

local ffi = require("ffi")
local symbols = require("bpflua.symbols")
local text = require("bpflua.show_text")
local value_text = require("bpflua.show_value")

local M = {}

local u64 = ffi.typeof("uint64_t")

-- Members of keys that are the number of a stack, and those that say whose it is.
local STACKS = { stackid = true, stack_id = true, kstack = true, ustack = true, kernel_stack_id = true, user_stack_id = true, kern_stack_id = true }
local PROCESSES = { "tgid", "pid" }

---Whether a member of a key is the number of a stack.
---@param name string
---@return boolean
function M.is_stack(name)
    return STACKS[name] or name:find("stack_?id$") ~= nil
end

---The process that a key's user stacks are of; nil when no member says it.
---@param key ffi.cdata*
---@param ctype bpflua.Type of the key
---@return integer?
function M.process_of(key, ctype)
    local members = ctype:fields_by_name()
    for _, name in ipairs(PROCESSES) do
        if members[name] then
            return tonumber(key[name])
        end
    end
end

local function user_frame(address, pid)
    local name = pid and pid > 0 and symbols.sym(address, pid, true, true) or "[unknown]"
    return name:find("^%[unknown%]") and ("0x%x"):format(ffi.cast(u64, address)) or name
end

local function frame_text(frame, pid)
    if type(frame) == "cdata" and not tonumber(frame) then
        return symbols.sym(frame, pid or -1, true, true)
    end
    return value_text.kernel_function(frame) or user_frame(frame, pid)
end

---The lines of one stack of a stack map; one line that says why, when there is none.
---@param map bpflua.Map
---@param id integer
---@param pid? integer whose stack it is, for user space
---@return string[]
function M.lines(map, id, pid)
    local next, why = map:walk(id)
    if not next then
        return { "(no stack: " .. why .. ")" }
    end
    local lines = {}
    for frame in next do
        lines[#lines + 1] = text.printable(frame_text(frame, pid))
    end
    return lines
end

---The one stack map of a map's object; nil when there is none or are several.
---@param map bpflua.Map
---@return bpflua.Map?
function M.map_beside(map)
    local found
    for _, one in pairs(map.bpf._maps) do
        if one.kind == "stack_trace" then
            if found then
                return nil
            end
            found = one
        end
    end
    return found
end

---All stacks of a stack map.
---@param map bpflua.Map
---@param options {width: integer, rows: integer}
---@return string[]
function M.map_lines(map, options)
    local lines, count, shown = {}, 0, 0
    for id in map:keys() do
        count = count + 1
        if #lines < options.rows then
            shown = shown + 1
            lines[#lines + 1] = ("stack %d"):format(tonumber(id))
            for _, line in ipairs(M.lines(map, id)) do
                lines[#lines + 1] = text.cut("  " .. line, options.width)
            end
        end
    end
    if count > shown then
        lines[#lines + 1] = ("%s %s more"):format(text.MARK, text.counted(count - shown, "stack"))
    end
    return lines
end

return M
