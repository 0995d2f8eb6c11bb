-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a one-liner has counted, read from its map: a row for each key, with the values that the user named.

local ffi = require("ffi")
local format = require("bpflua.format")
local symbols = require("bpflua.symbols")
local values = require("bpflua.oneliner_values")

local M = {}

---Behind a text that was longer.
M.CUT = "…"

---The names of a stack's frames.
---@param self bpflua.Oneliner
---@param member table
---@param id integer
---@param row table<string, any> the other values, of which `pid` tells the process
---@return string[]
function M.stack_frames(self, member, id, row)
    local list, why = self.bpf.stacks:get(id)
    if not list then
        return { "[" .. (why or "no stack") .. "]" }
    end
    local names = {}
    for i, address in ipairs(list) do
        names[i] = member.user and symbols.sym(address, tonumber(row.pid) or self.options.pid or -1, true) or symbols.ksym(address)
    end
    return names
end

-- A key's values by the names that the user gave.
local function read_key(self, key)
    local row, stacks = {}, {}
    for _, member in ipairs(self.members) do
        local value = values.read(member, key, self.probes)
        if member.kind == "stack" then
            stacks[#stacks + 1] = member
        elseif values.is_cut(member, value) then
            value = value .. M.CUT
        end
        row[member.name] = value
    end
    for _, member in ipairs(stacks) do
        row[member.name] = M.stack_frames(self, member, row[member.name], row)
    end
    return row
end

-- What came since the last look, by keys: without taking anything out of the map, so that nothing is lost on the way.
local function new_counts(self, since_last)
    local previous, counts = self.previous or {}, {}
    local current = {}
    for key, value in self.bpf.counts:pairs() do
        local total = tonumber(value:sum())
        local id = ffi.string(ffi.cast("const char *", key), ffi.sizeof(key))
        local count = since_last and total - (previous[id] or 0) or total
        current[id] = total
        if count > 0 then
            counts[#counts + 1] = { key = key, count = count }
        end
    end
    if since_last then
        self.previous = current
    end
    return counts
end

-- Equal counts in an order that is the same each time.
local function by_count(a, b)
    if a.count ~= b.count then
        return a.count > b.count
    end
    return a.order < b.order
end

local function order_of(self, row)
    local pieces = {}
    for i, member in ipairs(self.members) do
        local value = row[member.name]
        pieces[i] = type(value) == "table" and table.concat(value, ";") or type(value) == "number" and ("%020.3f"):format(value) or format.text(value)
    end
    return table.concat(pieces, "\0")
end

local function count_rows(self, since_last)
    local rows = {}
    for i, one in ipairs(new_counts(self, since_last)) do
        local row = read_key(self, one.key)
        rows[i] = { values = row, count = one.count, order = order_of(self, row) }
    end
    table.sort(rows, by_count)
    return rows
end

local function hist_rows(self, since_last)
    local rows, by_order = {}, {}
    for _, one in ipairs(new_counts(self, since_last)) do
        local values_of_key = read_key(self, one.key)
        local order = order_of(self, values_of_key)
        local row = by_order[order]
        if not row then
            row = { values = values_of_key, count = 0, slots = {}, order = order }
            by_order[order], rows[#rows + 1] = row, row
        end
        local slot = tonumber(one.key.slot)
        row.slots[slot] = (row.slots[slot] or 0) + one.count
        row.count = row.count + one.count
    end
    table.sort(rows, by_count)
    return rows
end

---Whether it counts by slots.
---@param self bpflua.Oneliner
---@return boolean
function M.is_histogram(self)
    return self.kind == "hist" or self.kind == "latency"
end

---What was counted, the largest first: `values` by their names, `count`, of histograms `slots`.
---@param self bpflua.Oneliner
---@param since_last? boolean only what came since the last call with this
---@return table[]
function M.all(self, since_last)
    return M.is_histogram(self) and hist_rows(self, since_last) or count_rows(self, since_last)
end

return M
