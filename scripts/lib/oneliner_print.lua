-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A one-liner's rows as text: tables, stacks, histograms, lines of JSON.

local columns = require("bpflua.columns")
local format = require("bpflua.format")
local hist = require("bpflua.hist")
local json = require("bpflua.json")
local json_lines = require("bpflua.json_lines")
local rows_of = require("bpflua.oneliner_rows")

local M = {}

local function cell(value)
    return type(value) == "table" and table.concat(value, ";") or format.text(value)
end

---The members that are stacks.
---@param self bpflua.Oneliner
---@return table[]
function M.stack_members(self)
    local list = {}
    for _, member in ipairs(self.members) do
        if member.kind == "stack" then
            list[#list + 1] = member
        end
    end
    return list
end

local function plain_members(self)
    local list = {}
    for _, member in ipairs(self.members) do
        if member.kind ~= "stack" then
            list[#list + 1] = member
        end
    end
    return list
end

-- The smallest first, so that what counts most stands last, above the prompt.
local function upwards(rows)
    local index = #rows + 1
    return function()
        index = index - 1
        return rows[index]
    end
end

---Stacks, a frame a line, each with its count below.
---@param self bpflua.Oneliner
---@param rows table[]
---@return string
function M.stacks_text(self, rows)
    local lines, stacks, others = {}, M.stack_members(self), plain_members(self)
    for row in upwards(rows) do
        for _, member in ipairs(stacks) do
            for _, frame in ipairs(row.values[member.name]) do
                lines[#lines + 1] = "    " .. frame
            end
            if #stacks > 1 then
                lines[#lines + 1] = "    --"
            end
        end
        local words = {}
        for _, member in ipairs(others) do
            words[#words + 1] = member.name .. " = " .. cell(row.values[member.name])
        end
        words[#words + 1] = ("count = %d"):format(row.count)
        lines[#lines + 1] = "  " .. table.concat(words, ", ")
        lines[#lines + 1] = ""
    end
    return table.concat(lines, "\n")
end

-- A line for each stack, outermost frame first, as flame graphs want them.
local function folded_text(self, rows)
    local lines = {}
    for row in upwards(rows) do
        local frames = {}
        for _, member in ipairs(plain_members(self)) do
            frames[#frames + 1] = (cell(row.values[member.name]):gsub(";", ":"))
        end
        for i = #self.members, 1, -1 do
            local stack = self.members[i].kind == "stack" and row.values[self.members[i].name] or {}
            for at = #stack, 1, -1 do
                frames[#frames + 1] = stack[at]
            end
        end
        lines[#lines + 1] = table.concat(frames, ";") .. (" %d"):format(row.count)
    end
    return table.concat(lines, "\n") .. (#lines > 0 and "\n" or "")
end

local function count_text(self, rows)
    if #M.stack_members(self) > 0 then
        return self.options.folded and folded_text(self, rows) or M.stacks_text(self, rows)
    end
    local heads, list = {}, {}
    for i, member in ipairs(self.members) do
        heads[i] = member.name:upper()
    end
    heads[#heads + 1] = { "COUNT", right = true }
    for row in upwards(rows) do
        local cells = {}
        for i, member in ipairs(self.members) do
            cells[i] = row.values[member.name]
        end
        cells[#self.members + 1] = row.count
        list[#list + 1] = cells
    end
    return columns._table_text(list, heads)
end

---A histogram for each row.
---@param self bpflua.Oneliner
---@param rows table[]
---@return string
function M.hist_text(self, rows)
    local pieces = {}
    for row in upwards(rows) do
        local words = {}
        for i, member in ipairs(self.members) do
            local value = row.values[member.name]
            words[i] = member.name .. " = " .. (type(value) == "table" and table.concat(value, " < ") or cell(value))
        end
        if #words > 0 then
            pieces[#pieces + 1] = table.concat(words, ", ") .. "\n"
        end
        pieces[#pieces + 1] = hist.log2_text(row.slots, self.value_name, false, true)
        pieces[#pieces + 1] = "\n"
    end
    return table.concat(pieces)
end

local function json_text(self, rows)
    local lines = {}
    for row in upwards(rows) do
        local line = { probe = self.spec, kind = self.kind, values = row.values, count = row.count }
        if row.slots then
            line.slots = {}
            for slot, count in pairs(row.slots) do
                line.slots[tostring(slot)] = count
            end
        end
        lines[#lines + 1] = json.encode(line) .. "\n"
    end
    return table.concat(lines)
end

-- The largest, and a line about the others.
local function cut_to_top(self, rows)
    local top = self.options.top
    if not top or top == 0 or #rows <= top then
        return rows, ""
    end
    local kept, rest = {}, 0
    for i, row in ipairs(rows) do
        if i <= top then
            kept[i] = row
        else
            rest = rest + row.count
        end
    end
    return kept, ("%s %d more, counted %d times\n"):format(rows_of.CUT, #rows - top, rest)
end

---What must not be lost silently.
---@param self bpflua.Oneliner
---@return string
function M.notes(self)
    if self.kind ~= "latency" then
        return ""
    end
    local missed = tonumber(self.bpf.unmatched:get(0):sum())
    if missed == 0 then
        return ""
    end
    return ("%d returns had no beginning: those calls were under way when tracing began, or made inside of another of the same function\n"):format(missed)
end

---Rows as they are printed.
---@param self bpflua.Oneliner
---@param rows table[]
---@return string
function M.rows_text(self, rows)
    if #rows == 0 then
        return ("%s: nothing was counted\n"):format(self.spec)
    end
    local kept, rest = cut_to_top(self, rows)
    if json_lines.wanted then
        return json_text(self, kept)
    end
    local text = rows_of.is_histogram(self) and M.hist_text(self, kept) or count_text(self, kept)
    return rest .. text
end

return M
