-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Maps as a person reads them: what the map is, then its elements under the names of their members, those that count
-- most first.

local ffi = require("ffi")
local elements_of = require("bpflua.show_elements")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local show_hist = require("bpflua.show_hist")
local stack = require("bpflua.show_stack")
local text = require("bpflua.show_text")
local units = require("bpflua.show_units")
local value_text = require("bpflua.show_value")

local M = {}

-- ---------------------------------------------------------------- columns

-- One part of an element, key or value, as columns: a function that adds the cells of one to a row. What a live view can sort
-- by has a `rank`: of an element, a number or a text.
local function member_columns(ctype, columns, wanted, part)
    local fields, pointer = {}, ffi.typeof("const $ *", ctype.ctype)
    local function base_of(value)
        return ffi.cast("const uint8_t *", ffi.cast(pointer, value))
    end
    for _, field in ipairs(ctype:members()) do
        if wanted(field.name) then
            fields[#fields + 1] = field
            columns[#columns + 1] = {
                field.name,
                right = field.bits and not field.type.values or value_text.is_number(field.type),
                keep = false,
                rank = function(element)
                    return value_text.rank_of_member(field, base_of(element[part]))
                end,
            }
        end
    end
    return function(row, value)
        local base = base_of(value)
        for _, field in ipairs(fields) do
            row[#row + 1] = value_text.member(field, base, text.printable)
        end
    end
end

local function scalar_column(ctype, columns, name, hint, unit)
    local function rank(element)
        local value = element[name]
        return type(value) == "string" and value or tonumber(value) or value_text.scalar(value)
    end
    columns[#columns + 1] = { name, right = value_text.is_number(ctype), keep = true, rank = rank }
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

-- The sum of a number's values on all CPUs, the least, the most.
local function extremes(value)
    local least = value[0]
    for cpu = 1, value.cpus - 1 do
        least = value[cpu] < least and value[cpu] or least
    end
    return value:sum(), least, value:max()
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
    for i, name in ipairs({ "sum", "least", "most" }) do
        local function rank(element)
            return tonumber((select(i, extremes(element.value))))
        end
        columns[#columns + 1] = { name, right = true, keep = name == "sum", rank = rank }
    end
    return function(row, value)
        for _, number in ipairs({ extremes(value) }) do
            row[#row + 1] = value_text.number(number, "", unit)
        end
    end
end

local function any() return true end

-- Functions that add the cells of a key and of a value.
local function columns_of(map, options, wanted)
    local columns, add_key, add_value = {}, nil, nil
    if map.key_type.fields then
        add_key = member_columns(map.key_type, columns, wanted or any, "key")
    else
        add_key = scalar_column(map.key_type, columns, "key", map.key_type.size == 8 and "addr" or "")
    end
    local unit = options.unit or units.of_name(map.name)
    if map.per_cpu then
        add_value = per_cpu_columns(map, columns, unit)
    elseif map.value_type.fields then
        add_value = member_columns(map.value_type, columns, any, "value")
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

-- What came to a value in each second since a live view last looked; an element that was not seen then has none.
local function rate_column(map, columns, options)
    local function rate(element)
        local before, now = options.previous[elements_of.id(element.key)], elements_of.weight(map, element.value)
        return before and now and (now - before) / options.elapsed or nil
    end
    columns[#columns + 1] = { "per s", right = true, keep = true, rank = rate, needs_all = true }
    return function(row, element)
        local number = rate(element)
        row[#row + 1] = number and ("%.0f"):format(number) or ""
    end
end

-- What a live view is sorted by, once one of its columns was chosen; it notes the numbers of all elements where those of
-- the next look are compared with them.
local function sorting(map, columns, options, seen)
    local column = options.sort and columns[options.sort.column]
    if not column then
        return nil
    end
    return {
        is_up = options.sort.is_up,
        rank = function(element)
            if column.needs_all then
                seen[elements_of.id(element.key)] = elements_of.weight(map, element.value)
            end
            return column.rank(element)
        end,
    }
end

local function element_lines(map, options)
    local columns, add_key, add_value = columns_of(map, options)
    local add_rate = options.previous and options.elapsed > 0 and rate_column(map, columns, options)
    local rows, seen = {}, {}
    local elements, count, zeros = elements_of.top(map, options.rows, sorting(map, columns, options, seen))
    for i, element in ipairs(elements) do
        local row = {}
        add_key(row, element.key)
        add_value(row, element.value)
        seen[elements_of.id(element.key)] = elements_of.weight(map, element.value)
        if add_rate then
            add_rate(row, element)
        end
        rows[i] = row
    end
    local lines = #rows > 0 and text.grid(columns, rows, options.width) or {}
    for _, line in ipairs(rest_line(map, count, #elements, zeros)) do
        lines[#lines + 1] = line
    end
    return lines, seen, columns
end

-- ---------------------------------------------------------------- keys that are stacks

-- A line with the other members and the value, and below it the stacks.
local function stacked_lines(map, stacks, options)
    local is_other = function(name)
        return not stack.is_stack(name)
    end
    local columns, add_key, add_value = columns_of(map, options, is_other)
    local elements, count = elements_of.top(map, options.rows)
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
    local stacks, lines, seen, columns = has_stacks(map), nil, nil, nil
    if stacks then
        lines = stacked_lines(map, stacks, options)
    else
        lines, seen, columns = element_lines(map, options)
    end
    return #lines > 0 and lines or { "it is empty" }, seen, columns
end

-- The kernel lets some types of maps be read by programs alone.
local function readable_body(map, options)
    local ok, lines, seen, columns = pcall(body, map, options)
    if not ok and errors.is_error(lines) and not options.histogram then
        return { text.cut(text.printable(lines.message), options.width) }
    elseif not ok then
        error(lines, 0)
    end
    return lines, seen, columns
end

---@class ShowMapOptions
---@field width integer
---@field rows integer
---@field unit? string
---@field previous? table<string, number> for a live view: the numbers that were seen the last time
---@field elapsed? number the seconds since
---@field sort? {column: integer, is_up: boolean} for a live view: the column that was chosen

---The lines of a map.
---@param map bpflua.Map
---@param options ShowMapOptions
---@return string[]
---@return table<string, number>? seen the numbers that are shown, by the bytes of their keys
---@return ShowColumn[]? columns
function M.lines(map, options)
    local lines = { text.cut(M.heading(map), options.width) }
    if map.fd < 0 then
        lines[2] = "its BPF object was closed"
        return lines
    end
    local more, seen, columns = readable_body(map, options)
    for _, line in ipairs(more) do
        lines[#lines + 1] = line
    end
    return lines, seen, columns
end

return M
