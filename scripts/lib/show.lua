-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `BPF.show(value)`: any value as a person reads it.

local errors = require("bpflua.errors")
local map = require("bpflua.map")
local native = require("bpflua.native")
local show_json = require("bpflua.show_json")
local show_map = require("bpflua.show_map")
local show_object = require("bpflua.show_object")
local show_table = require("bpflua.show_table")
local text = require("bpflua.show_text")
local types = require("bpflua.types")
local value_text = require("bpflua.show_value")

local M = {}

local OPTIONS = { width = "natural", rows = "natural", unit = "string", histogram = "string", json = "boolean" }

-- Narrower than this, nothing can be read.
local LEAST_WIDTH = 20
local ROWS = 30

---The options with what is not given filled in.
---@param options bpflua.ShowOptions?
---@return table
function M.with_defaults(options)
    options = options or {}
    return {
        width = math.max(LEAST_WIDTH, options.width or (native.terminal.size())),
        rows = math.max(1, options.rows or ROWS),
        unit = options.unit,
        histogram = options.histogram,
        json = options.json or false,
    }
end

-- A text of several lines is what it is, such as a disassembly; a name is in quotes.
local function string_lines(value)
    if value:find("\n") then
        return { (text.printable_lines(value):gsub("\n$", "")) }
    end
    return { text.quoted(value) }
end

-- What a value says of itself: a metamethod `__show(value, options)` that returns lines, or one text.
local function own_lines(value, options)
    local meta = getmetatable(value)
    local own = type(meta) == "table" and rawget(meta, "__show")
    if own then
        local shown = own(value, options)
        return type(shown) == "table" and shown or { shown }
    end
end

local function table_lines(value, options)
    local own = own_lines(value, options)
    if own then
        return own
    elseif map.receiver.is(value) then
        return show_map.lines(value, options)
    elseif show_object.is(value) then
        return show_object.lines(value, options)
    end
    return show_table.lines(value, options)
end

-- The report of an error has lines; other userdata is one text.
local function lines_of(value, options)
    local kind = type(value)
    if kind == "table" then
        return table_lines(value, options)
    elseif kind == "string" then
        return string_lines(value)
    elseif kind == "function" then
        return show_object.function_lines(value, options)
    elseif kind == "userdata" then
        return { text.printable_lines(tostring(value)) }
    end
    local ctype = kind == "cdata" and types.of_value(value)
    if ctype then
        return show_table.struct_lines(value, ctype, options)
    end
    return { text.cut(value_text.scalar(value), options.width) }
end

local function check_histogram(kind)
    if kind ~= nil and kind ~= "log2" and kind ~= "linear" then
        errors.fail({ what = ("option `histogram` of `show` is %q"):format(kind), why = 'it must be "log2" or "linear"' })
    end
end

---The lines of a value, for options that are whole.
---@param value any
---@param options table of `with_defaults`
---@return string[]
M.lines = lines_of

---See `BPF.show`.
---@param value any
---@param options? bpflua.ShowOptions
---@return string lines
function M.show(value, options)
    options = M.with_defaults(errors.options("show", options, OPTIONS))
    check_histogram(options.histogram)
    if options.json then
        return show_json.text(value)
    end
    return table.concat(lines_of(value, options), "\n")
end

return M
