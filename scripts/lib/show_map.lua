-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Maps as a person reads them: what the map is, then its elements under the names of their members, those that count
-- most first.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local show_hist = require("bpflua.show_hist")
local stack = require("bpflua.show_stack")
local text = require("bpflua.show_text")
local units = require("bpflua.show_units")
local value_text = require("bpflua.show_value")

local M = {}

-- ---------------------------------------------------------------- which elements

-- What an element is sorted by, as a number; nil where there is no order.
local function weight(map, value)
    if map.per_cpu then
        local ok, sum = pcall(value.sum, value)
        value = ok and sum or nil
    end
    return tonumber(value)
end

local function is_zero(map, value)
    local number = weight(map, value)
    if number then
        return number == 0
    end
    local ok, size = pcall(ffi.sizeof, value)
    return ok and type(value) == "cdata" and ffi.string(value, size):find("[^%z]") == nil
end

-- Sorts the elements: the heaviest first, else by their keys.
local function order(elements)
    table.sort(elements, function(a, b)
        if a.weight and b.weight and a.weight ~= b.weight then
            return a.weight > b.weight
        end
        return a.at < b.at
    end)
end

local function trim(elements, most)
    order(elements)
    for i = #elements, most + 1, -1 do
        elements[i] = nil
    end
end

---@class ShowElement
---@field key any
---@field value any
---@field weight? number

---The elements of a map that count most, at most so many of them, without reading all into memory.
---@param map bpflua.Map
---@param most integer
---@return ShowElement[] elements the heaviest first, where values are numbers
---@return integer count of all elements, of an array those that are not zero
---@return integer zeros elements of an array that are zero
function M.top(map, most)
    local elements, count, zeros, at = {}, 0, 0, 0
    for key, value in map:pairs() do
        at = at + 1
        if map.is_array and is_zero(map, value) then
            zeros = zeros + 1
        else
            count = count + 1
            elements[#elements + 1] = { key = key, value = value, weight = not map.is_array and weight(map, value) or nil, at = at }
            if #elements > 2 * most + 16 then
                trim(elements, most)
            end
        end
    end
    trim(elements, most)
    return elements, count, zeros
end

-- ---------------------------------------------------------------- columns

-- One part of an element, key or value, as columns: a function that adds the cells of one to a row.
local function member_columns(ctype, columns, wanted, keep)
    local fields = {}
    for _, field in ipairs(ctype:members()) do
        if wanted(field.name) then
            fields[#fields + 1] = field
            columns[#columns + 1] = { field.name, right = field.bits and not field.type.values or value_text.is_number(field.type), keep = keep }
        end
    end
    return function(row, value)
        local base = ffi.cast("const uint8_t *", ffi.cast(ffi.typeof("const $ *", ctype.ctype), value))
        for _, field in ipairs(fields) do
            row[#row + 1] = value_text.member(field, base, text.printable)
        end
    end
end

local function scalar_column(ctype, columns, name, hint, unit)
    columns[#columns + 1] = { name, right = value_text.is_number(ctype), keep = true }
    return function(row, value)
        if type(value) == "string" then
            row[#row + 1] = text.printable(value)
        elseif type(value) == "cdata" and value_text.is_number(ctype) or type(value) == "number" then
            row[#row + 1] = ctype.values and ctype:name_of(value) or value_text.number(value, hint, unit)
        else
            row[#row + 1] = value_text.scalar(value)
        end
    end
end

-- The values of all CPUs: their sum and the extremes, where they are numbers; else all of them.
local function per_cpu_columns(map, columns, unit)
    local ctype = map.value_type
    if not value_text.is_number(ctype) then
        columns[#columns + 1] = { "values by CPU", keep = true }
        return function(row, value)
            local pieces = {}
            for cpu = 0, value.cpus - 1 do
                pieces[cpu + 1] = value_text.scalar(value[cpu])
            end
            row[#row + 1] = table.concat(pieces, "  ")
        end
    end
    for _, name in ipairs({ "sum", "least", "most" }) do
        columns[#columns + 1] = { name, right = true, keep = name == "sum" }
    end
    return function(row, value)
        local least = value[0]
        for cpu = 1, value.cpus - 1 do
            least = value[cpu] < least and value[cpu] or least
        end
        for _, number in ipairs({ value:sum(), least, value:max() }) do
            row[#row + 1] = value_text.number(number, "", unit)
        end
    end
end

local function any() return true end

-- Functions that add the cells of a key and of a value.
local function columns_of(map, options, wanted)
    local columns, add_key, add_value = {}, nil, nil
    if map.key_type.fields then
        add_key = member_columns(map.key_type, columns, wanted or any, false)
    else
        add_key = scalar_column(map.key_type, columns, "key", map.key_type.size == 8 and "addr" or "")
    end
    local unit = options.unit or units.of_name(map.name)
    if map.per_cpu then
        add_value = per_cpu_columns(map, columns, unit)
    elseif map.value_type.fields then
        add_value = member_columns(map.value_type, columns, any, false)
    else
        add_value = scalar_column(map.value_type, columns, "value", "", unit)
    end
    return columns, add_key, add_value
end

local function rest_line(map, count, shown, zeros)
    local lines = {}
    if count > shown then
        lines[1] = ("%s %s more"):format(text.MARK, text.count(count - shown))
    end
    if zeros > 0 then
        lines[#lines + 1] = ("%s %s %s zero"):format(text.MARK, text.counted(zeros, "element"), zeros == 1 and "is" or "are")
    end
    return lines
end

-- What came to a value in each second since a live view last looked; an element that was not shown then has none.
local function rate_column(columns, options)
    columns[#columns + 1] = { "per s", right = true, keep = true }
    return function(row, element, id)
        local before = options.previous[id]
        local rate = before and element.weight and (element.weight - before) / options.elapsed
        row[#row + 1] = rate and ("%.0f"):format(rate) or ""
    end
end

local function element_lines(map, options)
    local columns, add_key, add_value = columns_of(map, options)
    local elements, count, zeros = M.top(map, options.rows)
    local add_rate = options.previous and options.elapsed > 0 and rate_column(columns, options)
    local rows, seen = {}, {}
    for i, element in ipairs(elements) do
        local row = {}
        add_key(row, element.key)
        local id = table.concat(row, "\0")
        add_value(row, element.value)
        element.weight = element.weight or weight(map, element.value)
        seen[id] = element.weight
        if add_rate then
            add_rate(row, element, id)
        end
        rows[i] = row
    end
    local lines = #rows > 0 and text.grid(columns, rows, options.width) or {}
    for _, line in ipairs(rest_line(map, count, #elements, zeros)) do
        lines[#lines + 1] = line
    end
    return lines, seen
end

-- ---------------------------------------------------------------- keys that are stacks

-- A line with the other members and the value, and below it the stacks.
local function stacked_lines(map, stacks, options)
    local is_other = function(name)
        return not stack.is_stack(name)
    end
    local columns, add_key, add_value = columns_of(map, options, is_other)
    local elements, count = M.top(map, options.rows)
    local lines = {}
    for i, element in ipairs(elements) do
        if #lines >= options.rows then
            lines[#lines + 1] = ("%s %s more"):format(text.MARK, text.count(count - i + 1))
            break
        end
        local cells, pieces = {}, {}
        add_value(cells, element.value)
        local values = #cells
        add_key(cells, element.key)
        for n = 1, #cells do
            local column = columns[n <= values and #columns - values + n or n - values]
            pieces[n] = column[1] .. " " .. cells[n]
        end
        lines[#lines + 1] = text.cut(table.concat(pieces, "  "), options.width)
        local pid = stack.process_of(element.key, map.key_type)
        for _, field in ipairs(map.key_type:members()) do
            if stack.is_stack(field.name) then
                for _, line in ipairs(stack.lines(stacks, tonumber(element.key[field.name]), pid)) do
                    lines[#lines + 1] = text.cut("    " .. line, options.width)
                end
            end
        end
    end
    return lines
end

local function has_stacks(map)
    for _, name in ipairs(map.key_type and map.key_type:member_names() or {}) do
        if stack.is_stack(name) then
            return stack.map_beside(map)
        end
    end
end

-- ---------------------------------------------------------------- a map

-- What a map has lost, said without taking it from those that are told at the end.
local function lost_text(map)
    local handle = map.bpf._handle
    local loss = handle and map.losses.counted and native.maps.losses(handle)[map.name]
    if loss and loss.count > 0 then
        return ("; lost %s"):format(text.counted(loss.count, map.kind == "ringbuf" and "event" or "update"))
    end
    return ""
end

-- Maps of which there is nothing to read one by one.
local WITHOUT_ELEMENTS = {
    ringbuf = function(map) return ("a ring buffer of %s"):format(units.bytes(map.max_entries)) end,
    user_ringbuf = function(map) return ("a ring buffer of %s from user space"):format(units.bytes(map.max_entries)) end,
    arena = function(map) return ("an arena of %s"):format(text.counted(map.max_entries, "page")) end,
    perf_event_array = function() return "a perf buffer" end,
    cgroup_array = function(map) return ("room for %s"):format(text.counted(map.max_entries, "control group")) end,
    reuseport_sockarray = function(map) return ("room for %s"):format(text.counted(map.max_entries, "socket")) end,
    bloom_filter = function(map) return ("a Bloom filter for %s"):format(text.counted(map.max_entries, "element")) end,
}

local function event_words(map)
    if map.kind ~= "ringbuf" and map.kind ~= "perf_event_array" then
        return ""
    end
    local carries = map.event_type and (" for `%s`"):format(map.event_type.name) or ""
    return carries .. (map.is_open and ", open" or ", not open")
end

local function queue_lines(map, options)
    local head = map:peek()
    if head == nil then
        return { "it is empty" }
    end
    return { text.cut("next = " .. value_text.scalar(head), options.width), text.MARK .. " the others are seen by `pop`, which takes them" }
end

---What a map is, in one line.
---@param map bpflua.Map
---@return string
function M.heading(map)
    local without = WITHOUT_ELEMENTS[map.kind]
    local what = without and without(map) .. event_words(map) or ("%s, at most %s"):format(map.kind, text.counted(map.max_entries, "element"))
    return ("%s: %s%s"):format(map.name, what, lost_text(map))
end

local function body(map, options)
    if WITHOUT_ELEMENTS[map.kind] then
        return {}
    elseif map.is_queue then
        return queue_lines(map, options)
    elseif map.kind == "stack_trace" then
        return stack.map_lines(map, options)
    elseif map.histogram or options.histogram then
        return show_hist.map_lines(map, options)
    elseif not map.key_type or not map.value_type then
        return { "its elements cannot be read" }
    end
    local stacks, lines, seen = has_stacks(map), nil, nil
    if stacks then
        lines = stacked_lines(map, stacks, options)
    else
        lines, seen = element_lines(map, options)
    end
    return #lines > 0 and lines or { "it is empty" }, seen
end

-- The kernel lets some types of maps be read by programs alone.
local function readable_body(map, options)
    local ok, lines, seen = pcall(body, map, options)
    if not ok and errors.is_error(lines) and not options.histogram then
        return { text.cut(text.printable(lines.message), options.width) }
    elseif not ok then
        error(lines, 0)
    end
    return lines, seen
end

---The lines of a map.
---@param map bpflua.Map
---@param options {width: integer, rows: integer, unit?: string, previous?: table, elapsed?: number} `previous`, `elapsed`: for a
---live view, what this gave the last time, and the seconds since
---@return string[]
---@return table<string, number>? seen the numbers that are shown
function M.lines(map, options)
    local lines = { text.cut(M.heading(map), options.width) }
    if map.fd < 0 then
        lines[2] = "its BPF object was closed"
        return lines
    end
    local more, seen = readable_body(map, options)
    for _, line in ipairs(more) do
        lines[#lines + 1] = line
    end
    return lines, seen
end

return M
