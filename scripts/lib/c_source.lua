-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The C text of one function of an object: found in the text by the lines that its instructions come from.

local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

local function lines_of(text)
    local lines = {}
    for line in (text .. "\n"):gmatch("(.-)\r?\n") do
        lines[#lines + 1] = line
    end
    return lines
end

local function trimmed(line)
    return line:match("^%s*(.-)%s*$")
end

-- The lines of the user's file that instructions come from, in the order of the instructions.
local function line_numbers(handle, name)
    local order = {}
    for insn, place in pairs(native.bytecode.source(handle, name)) do
        order[#order + 1] = { insn = insn, number = tonumber(place:match(":(%d+): ")), place = place }
    end
    table.sort(order, function(a, b)
        return a.insn < b.insn
    end)
    return order
end

local function opens(line)
    return line:find("^[%a_]") ~= nil and not line:find("^[%a_][%w_]*:%s*$")
end

-- The first and last line of the definition around a line: from one that begins at the margin to the brace at the margin.
local function definition_around(lines, at)
    local first, last = at, at
    while first > 1 and not opens(lines[first]) do
        first = first - 1
    end
    local depth, begun = 0, false
    for number = first, #lines do
        local code = lines[number]:gsub('"[^"]*"', ""):gsub("//.*", "")
        for brace in code:gmatch("[{}]") do
            depth, begun = depth + (brace == "{" and 1 or -1), true
        end
        last = number
        if begun and depth <= 0 then
            break
        end
    end
    return first, last
end

-- Where a function of this name is defined, when no instruction tells.
local function named(lines, name)
    for number, line in ipairs(lines) do
        if opens(line) and line:find("%f[%w_]" .. name .. "%s*%(") then
            return number
        end
    end
end

-- The line of the text that a function is on; nil when it is not found. The dialect's macros make names that are nowhere in
-- the text; what was inlined comes from elsewhere, but the last instructions are the function's own.
local function line_of(lines, order, name, offset)
    local at = named(lines, name)
    for i = #order, 1, -1 do
        at = at or lines[order[i].number - offset] and order[i].number - offset
    end
    return at
end

-- Without the text: the lines that instructions come from.
local function only_lines(order, name)
    if #order == 0 then
        errors.fail({ what = ("cannot show the C text of `%s`"):format(name), why = "the object does not say its lines" })
    end
    table.sort(order, function(a, b)
        return a.number < b.number
    end)
    local out, last = {}, nil
    for _, place in ipairs(order) do
        if place.number ~= last then
            out[#out + 1] = ("%4d  %s"):format(place.number, place.place:match(":%d+: (.*)$"))
            last = place.number
        end
    end
    return table.concat(out, "\n")
end

---The C text of a function with the numbers of its lines.
---@param handle userdata
---@param c_text? CText nil when the object came from a file
---@param name string
---@return string lines
function M.of_function(handle, c_text, name)
    local order = line_numbers(handle, name)
    local lines, offset = lines_of(c_text and c_text.text or ""), c_text and c_text.line - 1 or 0
    local at = c_text and line_of(lines, order, name, offset)
    if not at then
        return only_lines(order, name)
    end
    local first, last = definition_around(lines, at)
    local out = {}
    for number = first, last do
        out[#out + 1] = ("%4d  %s"):format(number + offset, lines[number])
    end
    return table.concat(out, "\n")
end

---The instructions of a function under the lines of the C text that they come from.
---@param handle userdata
---@param c_text? CText
---@param name string
---@return string[] lines
function M.listing(handle, c_text, name)
    local order, listing = line_numbers(handle, name), {}
    local lines, offset = lines_of(c_text and c_text.text or ""), c_text and c_text.line - 1 or 0
    local by_insn = {}
    for _, place in ipairs(order) do
        by_insn[place.insn] = (place.place .. trimmed(lines[place.number - offset] or "")):gsub("%s+$", "")
    end
    for i, instruction in ipairs(native.bytecode.lines(handle, name)) do
        listing[#listing + 1] = by_insn[i - 1] and "; " .. by_insn[i - 1] or nil
        listing[#listing + 1] = instruction
    end
    return listing
end

return M
