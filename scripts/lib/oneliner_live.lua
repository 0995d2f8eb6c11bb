-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- How a live view shows a one-liner.

local format = require("bpflua.format")
local print_of = require("bpflua.oneliner_print")
local rows_of = require("bpflua.oneliner_rows")

-- The columns that a live view shows and can sort by.
local function live_columns(self)
    local list = {}
    for i, member in ipairs(self.members) do
        list[i] = { member.name, right = member.kind ~= "text" and member.kind ~= "probe" }
    end
    list[#list + 1] = { "count", right = true }
    return list
end

-- Values of all kinds in one order: numbers before texts.
local function in_order(list, name, is_up)
    local function rank(record)
        local value = record[name]
        return tonumber(value) or format.text(value)
    end
    local ranks, places = {}, {}
    for i, record in ipairs(list) do
        ranks[record], places[record] = rank(record), i
    end
    table.sort(list, function(a, b)
        local first, second = ranks[a], ranks[b]
        if type(first) ~= type(second) then
            return type(first) == "number"
        elseif first == second then
            return places[a] < places[b]
        elseif is_up then
            return first < second
        end
        return first > second
    end)
end

---The lines of a live view, what counts most first, and the columns that it can be sorted by.
---@param self bpflua.Oneliner
---@param options {width: integer, rows: integer, sort?: {column: integer, is_up: boolean}}
---@return string[]
---@return ShowColumn[]?
return function(self, options)
    local rows = self.kind ~= "trace" and (self.final or rows_of.all(self)) or {}
    if #rows == 0 then
        return { tostring(self) .. ": nothing yet" }
    elseif #print_of.stack_members(self) == 0 and not rows_of.is_histogram(self) then
        local list = {}
        for i, row in ipairs(rows) do
            list[i] = setmetatable({ count = row.count }, { __index = row.values })
        end
        local shown, names = live_columns(self), {}
        for i, column in ipairs(shown) do
            names[i] = column[1]
        end
        if options.sort and names[options.sort.column] then
            in_order(list, names[options.sort.column], options.sort.is_up)
        end
        return require("bpflua.show_table").columned(list, names, options), shown
    end
    -- Its own text has what counts most last.
    local pieces = {}
    for i = 1, math.min(#rows, options.rows) do
        pieces[i] = rows_of.is_histogram(self) and print_of.hist_text(self, { rows[i] }) or print_of.stacks_text(self, { rows[i] })
    end
    return { (table.concat(pieces):gsub("\n+$", "")) }
end
