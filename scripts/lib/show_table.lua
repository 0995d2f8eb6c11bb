-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Lua tables as a person reads them: on one line where they fit, lists of records under headings, all else one member a
-- line, aligned.

local text = require("bpflua.show_text")
local types = require("bpflua.types")
local units = require("bpflua.show_units")
local value_text = require("bpflua.show_value")

local M = {}

-- Tables within tables are opened so deep.
local MOST_DEPTH = 4

-- Columns of records come in this order; others after them, sorted.
local FIRST = {
    "id", "kind", "target", "targets", "name", "provider", "pid", "tgid", "tid", "comm", "fn_name", "mechanism",
    "runs", "time_ns", "ns_per_run", "cpu", "missed", "lost",
}
local rank = {}
for i, name in ipairs(FIRST) do
    rank[name] = i
end

---Whether names come in the order in which people look for them.
local function comes_before(a, b)
    local first, second = rank[a] or #FIRST + 1, rank[b] or #FIRST + 1
    if first ~= second then
        return first < second
    elseif type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
        return a < b
    end
    return tostring(a) < tostring(b)
end

local function sorted_keys(value)
    local keys = {}
    for key in next, value do
        keys[#keys + 1] = key
    end
    table.sort(keys, comes_before)
    return keys
end

local function is_list(value)
    local count = 0
    for _ in next, value do
        count = count + 1
    end
    return count > 0 and count == #value
end

-- What a table says of itself.
local function own_text(value)
    local meta = getmetatable(value)
    if type(meta) == "table" and rawget(meta, "__tostring") then
        return text.printable(tostring(value))
    end
end

local function key_text(key)
    if type(key) == "string" then
        return key:find("^[%a_][%w_]*$") and key or "[" .. text.quoted(key) .. "]"
    end
    return "[" .. M.inline(key) .. "]"
end

---Any value on one line. A table that holds itself, or goes too deep, is `{…}`.
---@param value any
---@param name? string the member's, which may tell its unit
---@param seen? table<table, boolean> the tables around it
---@return string
function M.inline(value, name, seen)
    if type(value) ~= "table" then
        return value_text.scalar(value, name)
    end
    local own = own_text(value)
    if own then
        return own
    end
    seen = seen or {}
    if next(value) == nil then
        return "{}"
    elseif seen[value] then
        return "{" .. text.MARK .. "}"
    end
    seen[value] = true
    local pieces, plain = {}, is_list(value)
    for i, key in ipairs(sorted_keys(value)) do
        local member = M.inline(value[key], key, seen)
        pieces[i] = plain and member or key_text(key) .. " = " .. member
    end
    seen[value] = nil
    return "{" .. table.concat(pieces, ", ") .. "}"
end

-- ---------------------------------------------------------------- lists of records

-- The members of a record: a struct of the kernel's, or a table of names without a text of its own.
local function record_names(value)
    local ctype = type(value) == "cdata" and types.of_value(value)
    if ctype then
        return ctype:member_names()
    elseif type(value) ~= "table" or own_text(value) or next(value) == nil then
        return nil
    end
    local names = sorted_keys(value)
    for _, name in ipairs(names) do
        if type(name) ~= "string" then
            return nil
        end
    end
    return names
end

-- The names of all records of a list, in order; nil when one of them is none, or they have little in common.
local function columns_of(list)
    local names, counts, most = {}, {}, 0
    for _, value in ipairs(list) do
        local own = record_names(value)
        if not own then
            return nil
        end
        most = math.max(most, #own)
        for _, name in ipairs(own) do
            if not counts[name] then
                counts[name] = 0
                names[#names + 1] = name
            end
            counts[name] = counts[name] + 1
        end
    end
    if #names > 2 * most then
        return nil
    end
    if type(list[1]) == "table" then
        table.sort(names, comes_before)
    end
    return names
end

local function cell(record, name)
    local value = record[name]
    if type(value) == "string" then
        return text.printable(value), false
    elseif value == nil then
        return "", nil
    elseif type(value) == "table" and next(value) == nil then
        return "", false
    end
    local is_number = type(value) == "number" or type(value) == "cdata" and tonumber(value) ~= nil
    if type(value) == "number" and value % 1 ~= 0 and not units.of_name(name) then
        return ("%.4g"):format(value), true
    elseif type(value) == "table" and is_list(value) and type(value[1]) == "string" then
        return text.printable(table.concat(value, ", ")), false
    end
    return M.inline(value, name), is_number
end

local function more_line(count, shown)
    return ("%s %s more"):format(text.MARK, text.count(count - shown))
end

-- The names that any of the first records has something under.
local function used_names(list, names, shown)
    local used = {}
    for _, name in ipairs(names) do
        for r = 1, shown do
            if cell(list[r], name) ~= "" then
                used[#used + 1] = name
                break
            end
        end
    end
    return used
end

local function records(list, names, options)
    local columns, rows, shown = {}, {}, math.min(#list, options.rows)
    names = used_names(list, names, shown)
    for i, name in ipairs(names) do
        columns[i] = { name, right = true, keep = i == 1 }
    end
    for r = 1, shown do
        rows[r] = {}
        for i, name in ipairs(names) do
            local is_number
            rows[r][i], is_number = cell(list[r], name)
            columns[i].right = columns[i].right and is_number ~= false
        end
    end
    local lines = text.grid(columns, rows, options.width)
    if #list > shown then
        lines[#lines + 1] = more_line(#list, shown)
    end
    return lines
end

-- ---------------------------------------------------------------- members, one a line

local block

-- A list of single values, as many on a line as fit.
local function wrapped(list, options)
    local lines, line, at = {}, "", 0
    for i, value in ipairs(list) do
        local piece = text.cut(M.inline(value), options.width - 2) .. (i < #list and "," or "")
        if line ~= "" and text.width(line) + 1 + text.width(piece) > options.width then
            lines[#lines + 1], line = line, ""
            if #lines >= options.rows then
                at = i - 1
                break
            end
        end
        line = line == "" and piece or line .. " " .. piece
        at = i
    end
    if line ~= "" then
        lines[#lines + 1] = line
    end
    if at < #list then
        lines[#lines + 1] = more_line(#list, at)
    end
    return lines
end

local function add_member(lines, key, value, label_width, options, depth, seen)
    local label = text.pad(key_text(key), label_width) .. " = "
    local line = label .. M.inline(value, key, seen)
    if text.width(line) <= options.width or type(value) ~= "table" or own_text(value) or depth >= MOST_DEPTH or seen[value] then
        lines[#lines + 1] = text.cut(line, options.width)
        return
    end
    lines[#lines + 1] = text.pad(key_text(key), label_width) .. " ="
    local inner = setmetatable({ width = math.max(options.width - 2, 10) }, { __index = options })
    for _, one in ipairs(text.indent(block(value, inner, depth + 1, seen), "  ")) do
        lines[#lines + 1] = one
    end
end

local function members(value, options, depth, seen)
    local keys, lines, label_width = sorted_keys(value), {}, 0
    for i = 1, math.min(#keys, options.rows) do
        label_width = math.max(label_width, text.width(key_text(keys[i])))
    end
    label_width = math.min(label_width, math.floor(options.width / 2))
    seen[value] = true
    for i = 1, math.min(#keys, options.rows) do
        add_member(lines, keys[i], value[keys[i]], label_width, options, depth, seen)
    end
    seen[value] = nil
    if #keys > options.rows then
        lines[#lines + 1] = more_line(#keys, options.rows)
    end
    return lines
end

local function holds_tables(list)
    for _, value in ipairs(list) do
        if type(value) == "table" and not own_text(value) then
            return true
        end
    end
    return false
end

function block(value, options, depth, seen)
    local names = is_list(value) and columns_of(value)
    if names then
        return records(value, names, options)
    elseif is_list(value) and not holds_tables(value) then
        return wrapped(value, options)
    end
    return members(value, options, depth, seen)
end

---A list of records under headings of the caller's choice.
---@param list table[]
---@param names string[]
---@param options {width: integer, rows: integer}
---@return string[] lines
function M.columned(list, names, options)
    return records(list, names, options)
end

---The lines of a table.
---@param value table
---@param options {width: integer, rows: integer}
---@return string[]
function M.lines(value, options)
    local own = own_text(value)
    if own then
        return { text.cut(own, options.width) }
    end
    local names = is_list(value) and #value > 1 and columns_of(value)
    local line = not names and M.inline(value)
    if line and text.width(line) <= options.width then
        return { line }
    end
    return block(value, options, 1, {})
end

---The lines of a struct of the kernel's: one where it fits, else a member a line.
---@param value ffi.cdata*
---@param ctype bpflua.Type
---@param options {width: integer}
---@return string[]
function M.struct_lines(value, ctype, options)
    local line = value_text.scalar(value)
    if text.width(line) <= options.width then
        return { line }
    end
    local lines, label_width = {}, 0
    for _, field in ipairs(ctype:members()) do
        label_width = math.max(label_width, text.width(field.name))
    end
    local ffi = require("ffi")
    local base = ffi.cast("const uint8_t *", ffi.cast(ffi.typeof("const $ *", ctype.ctype), value))
    for i, field in ipairs(ctype:members()) do
        local shown = value_text.member(field, base)
        lines[i] = text.cut(text.pad(field.name, label_width) .. " = " .. shown, options.width)
    end
    return lines
end

return M
