-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Aligned output: rows as they come under a header of fixed widths, and whole tables whose widths fit what is in them.

local errors = require("bpflua.errors")
local format = require("bpflua.format")

---@class bpflua.Column
---@field [1] string the heading
---@field width? integer characters; default: the heading's length, at least 6
---@field right? boolean align to the right; default for numbers
---@field cut? boolean cut what is longer, with a `~` at the end; else it pushes the rest of its row

local M = {}

local MIN_WIDTH = 6
local COLUMN_OPTIONS = { "width", "right", "cut" }

local function check_column(column, at)
    if type(column) == "string" then
        return { column }
    elseif type(column) ~= "table" or type(column[1]) ~= "string" then
        errors.fail({ what = ("column %d has no heading"):format(at), why = 'it is written "PID" or {"PID", width = 7}' })
    end
    local known = {}
    for _, name in ipairs(COLUMN_OPTIONS) do
        known[name] = true
    end
    for name in pairs(column) do
        if name ~= 1 and not known[name] then
            errors.unknown(("unknown option `%s` of column `%s`"):format(tostring(name), column[1]), name, known, "options of a column")
        end
    end
    return column
end

local function is_number(value)
    return type(value) == "number" or type(value) == "cdata" and tonumber(value) ~= nil
end

local function cell_text(value)
    if type(value) == "number" and value % 1 ~= 0 then
        return ("%.3f"):format(value)
    end
    return value == nil and "" or format.text(value)
end

local function pad(text, width, right)
    local space = (" "):rep(width - #text)
    return right and space .. text or text .. space
end

-- The last cell of a row has no space behind it.
local function line(columns, values, widths)
    local cells = {}
    for i, column in ipairs(columns) do
        local value = values[i]
        local text, width = cell_text(value), widths[i]
        if column.cut and #text > width then
            text = text:sub(1, width - 1) .. "~"
        end
        local right = column.right
        if right == nil then
            right = is_number(value)
        end
        cells[i] = (i == #columns and not right) and text or pad(text, width, right)
    end
    return (table.concat(cells, " "):gsub("%s+$", ""))
end

-- A heading stands where its column's values do.
local function headings(columns)
    local names, aligned = {}, {}
    for i, column in ipairs(columns) do
        names[i] = column[1]
        aligned[i] = setmetatable({ right = column.right or false }, { __index = column })
    end
    return names, aligned
end

---@class bpflua.Columns
local Columns = {}
Columns.__index = Columns

---Prints the headings.
---@return bpflua.Columns self
function Columns:header()
    local names, aligned = headings(self.columns)
    print(line(aligned, names, self.widths))
    return self
end

---Prints a row: one value for each column.
function Columns:row(...)
    if select("#", ...) > #self.columns then
        errors.fail({
            what = ("cannot call `row` with %d values"):format(select("#", ...)),
            why = ("there are %d columns"):format(#self.columns),
        })
    end
    print(line(self.columns, { ... }, self.widths))
end

---Rows of fixed widths, printed as they come:
---`local out = BPF.columns{ {"PID", width = 7}, "COMM" }:header()`, then `out:row(event.pid, event.comm)`.
---@param columns (string|bpflua.Column)[] from left to right: a heading, or a table of a heading, `width`, `right`, `cut`, see below
---@return bpflua.Columns
function M.columns(columns)
    errors.arguments("columns", { "columns", "table!" }, columns)
    local self = setmetatable({ columns = {}, widths = {} }, Columns)
    for i, column in ipairs(columns) do
        column = check_column(column, i)
        self.columns[i] = column
        self.widths[i] = column.width or math.max(#column[1], MIN_WIDTH)
    end
    return self
end

---The lines of a whole table; each column is as wide as what is in it.
---@param rows any[][] one list of values for each row
---@param columns (string|bpflua.Column)[]
---@return string
function M._table_text(rows, columns)
    local checked, widths = {}, {}
    for i, column in ipairs(columns) do
        checked[i] = check_column(column, i)
        local width, all_numbers = #checked[i][1], #rows > 0
        for _, row in ipairs(rows) do
            width = math.max(width, #cell_text(row[i]))
            all_numbers = all_numbers and is_number(row[i])
        end
        if checked[i].right == nil then
            checked[i] = setmetatable({ right = all_numbers }, { __index = checked[i] })
        end
        widths[i] = checked[i].width or width
    end
    local names, aligned = headings(checked)
    local lines = { line(aligned, names, widths) }
    for _, row in ipairs(rows) do
        lines[#lines + 1] = line(checked, row, widths)
    end
    return table.concat(lines, "\n") .. "\n"
end

---Prints a whole table; each column is as wide as what is in it.
---@param rows any[][] one list of values for each row
---@param columns (string|bpflua.Column)[] from left to right, as of `BPF.columns`
function M.print_table(rows, columns)
    errors.arguments("print_table", { "rows", "table!", "columns", "table!" }, rows, columns)
    for i, row in ipairs(rows) do
        if type(row) ~= "table" then
            errors.fail({ what = ("row %d of `print_table` is a %s"):format(i, errors.type_name(row)), why = "it must be a list of values" })
        end
    end
    for one in M._table_text(rows, columns):gmatch("([^\n]*)\n") do
        print(one)
    end
end

---@class bpflua.ShowOptions
---@field width? integer cells of a line (default: those of the terminal, or 80)
---@field rows? integer elements of a map, records of a list, members of a table at most (default 30)
---@field unit? string what the values of a map are: `ns`, `us`, `ms`, `sec`, `bytes`, or a word of your own
---@field histogram? "log2"|"linear" shows a map as a histogram, also one that was not declared as one
---@field json? boolean as JSON, whole, in place of text

---A value as a person reads it, and as the prompt prints results: aligned, no wider than the terminal, cut with a mark,
---numbers in the units that their names tell (`delta_us`, `bytes`). Of a map its elements, those that count most first; of a
---histogram its bars; of stacks the functions.
---@param value any anything: a map, an event, a table, a number
---@param options? bpflua.ShowOptions
---@return string lines
function M.show(value, options)
    -- Loaded when it is first used: most scripts start without it.
    return require("bpflua.show").show(value, options)
end

---A live view of a value on all of the terminal, sorted, until `q` or Ctrl-C is pressed; handlers and timers run meanwhile. Of a
---map of numbers, what comes in each second is shown, too; the space bar holds the view.
---@param value any a map, a one-liner, or anything that `BPF.show` shows
---@param seconds? number between two looks at it (default 1)
---@return "interrupted"? stop when something else asked the script to end
function M.live(value, seconds)
    errors.arguments("live", { "value", "any!", "seconds", "seconds" }, value, seconds)
    return require("bpflua.live").view(value, tostring(value), { seconds = math.max(seconds or 1, 0.05) })
end

require("bpflua.surface").add_methods("bpflua.Columns", Columns, {
    noun = "list of columns",
    is = function(value)
        return getmetatable(value) == Columns
    end,
})

return M
