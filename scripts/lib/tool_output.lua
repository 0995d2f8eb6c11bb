-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a tool prints, in the form that was asked for: text for people, JSON lines, CSV; folded stacks, a flame graph, a page.

local columns = require("bpflua.columns")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local json = require("bpflua.json")
local report = require("bpflua.tool_report")

local M = {}

-- ---------------------------------------------------------------- one table of rows

---@class bpflua.ToolOutput
local Output = {}
Output.__index = Output
M.Output = Output

local function is_shown(column, args, form)
    for when in (column.when or ""):gmatch("%S+") do
        local name = when:gsub("^!", "")
        local value
        if name:sub(1, 2) == "--" then
            value = form[name:sub(3)]
        else
            value = args[name]
        end
        if (value ~= nil and value ~= false) ~= (when:sub(1, 1) ~= "!") then
            return false
        end
    end
    return true
end

local function heading(column, width)
    local is_number = column.type == "integer" or column.type == "number"
    local right = column.right ~= nil and column.right or column.right == nil and is_number
    return { column.title or column.name:upper(), width = width or column.width, right = right, cut = column.cut or nil }
end

-- Makes the columns of the text, some with widths of their own.
function Output:_arrange(widths)
    local headings = {}
    for i, column in ipairs(self._columns) do
        headings[i] = heading(column, widths[column.name])
    end
    self._text = columns.columns(headings)
end

local function new_output(all, name, list)
    local self = setmetatable({ _all = all, _name = name, _columns = {}, _known = {} }, Output)
    for _, column in ipairs(list) do
        self._known[column.name] = true
        if is_shown(column, all.args, all.form) then
            self._columns[#self._columns + 1] = column
        end
    end
    self:_arrange({})
    return self
end

local function cell(column, value)
    value = format.plain(value)
    if value == nil then
        return nil
    elseif type(value) == "string" then
        return report.printable(value)
    elseif column.decimals and tonumber(value) then
        return ("%." .. column.decimals .. "f"):format(tonumber(value))
    end
    return value
end

---A value as JSON and CSV have it: what is neither number nor text becomes text.
---@param value any
---@return any
function M.plain(value)
    if type(value) == "cdata" and not tonumber(value) then
        return format.text(value)
    elseif type(value) == "table" and #value == 0 then
        return nil
    end
    return value
end

local function csv_cell(value)
    if type(value) == "table" then
        value = table.concat(value, ";")
    end
    local text = value == nil and "" or format.text(value)
    if text:find('[",\r\n]') then
        text = '"' .. text:gsub('"', '""') .. '"'
    end
    return text
end

function Output:_check(row)
    for name in pairs(row) do
        if not self._known[name] then
            errors.unknown(("the output has no column `%s`"):format(tostring(name)), name, self._known, "columns")
        end
    end
end

function Output:_json(row)
    local object = {}
    for _, column in ipairs(self._columns) do
        object[#object + 1] = json.encode(column.name) .. ":" .. json.encode(M.plain(row[column.name]))
    end
    if self._name then
        table.insert(object, 1, '"output":' .. json.encode(self._name))
    end
    io.write("{", table.concat(object, ","), "}\n")
end

function Output:_names()
    local names = {}
    for i, column in ipairs(self._columns) do
        names[i] = column.name
    end
    return names
end

function Output:_csv(row)
    local names, values = self:_names(), {}
    for i, name in ipairs(names) do
        values[i] = row[name]
    end
    self._all:csv(self, names, values)
end

-- Lists, such as the frames of a stack, stand below their row.
function Output:_row(row)
    local cells, lists = {}, {}
    for i, column in ipairs(self._columns) do
        local value = row[column.name]
        if type(value) == "table" then
            lists[#lists + 1] = value
        else
            cells[i] = cell(column, value)
        end
    end
    self._text:row(unpack(cells, 1, #self._columns))
    for _, list in ipairs(lists) do
        for _, one in ipairs(list) do
            print("    " .. report.printable(format.text(one)))
        end
    end
end

---Prints the headings, unless they are there already: for tools that want them before the first row comes.
function Output:header()
    if self._has_header then
        return
    end
    self._has_header = true
    if #self._columns > 0 and self._all.form.csv then
        self._all:csv_header(self, self:_names())
    elseif #self._columns > 0 and self._all:is_text() then
        self._text:header()
    end
end

-- Rows have no place among folded stacks.
function Output:_print(row)
    if self._all.form.json then
        self:_json(row)
    elseif self._all.form.csv then
        self:_csv(row)
    elseif self._all:is_text() then
        self:_row(row)
    end
end

---Prints a row: values by the names of the columns.
---@param row table<string, any>
function Output:print(row)
    if type(row) ~= "table" then
        errors.arguments("print", { "row", "table!" }, row)
    end
    self:_check(row)
    self:header()
    report.add_row(self._all, self, row)
    self:_print(row)
end

-- ---------------------------------------------------------------- all outputs of a tool

---@class ToolOutputs
local Outputs = {}
Outputs.__index = Outputs

---The outputs of an entry.
---@param entry table as `native.pack.entry` gives it
---@param args table<string, any>
---@param form table how to print
---@return ToolOutputs
function M.new(entry, args, form)
    local self = setmetatable({ entry = entry, args = args, form = form, outputs = {} }, Outputs)
    report.begin(self)
    self.main = new_output(self, nil, entry.entry.columns)
    for name, output in pairs(entry.entry.outputs) do
        self.outputs[name] = new_output(self, name, output.columns)
    end
    return self
end

---An output by name; without, the tool's own.
---@param name? string
---@return bpflua.ToolOutput
function Outputs:of(name)
    return name and self.outputs[name] or self.main
end

---Whether people read what is printed.
---@return boolean
function Outputs:is_text()
    return not (self.form.json or self.form.csv or self.form.folded)
end

---Whether rows are wanted, and no text.
---@return boolean
function Outputs:is_data()
    return (self.form.json or self.form.csv or self.form.html) and true or false
end

---A line for people.
---@param text string
function Outputs:say(text)
    report.add_message(self, text)
    if self:is_text() then
        print(text)
    else
        io.stderr:write(text, "\n")
    end
end

---The headings of CSV: before the first line, and again where lines of another shape were in between.
---@param shape any what tells the shapes apart
---@param names string[]
function Outputs:csv_header(shape, names)
    if self.csv_shape ~= shape then
        io.write(self.csv_shape and "\n" or "", table.concat(names, ","), "\n")
        self.csv_shape = shape
    end
end

---A line of CSV, under its headings.
---@param shape any
---@param names string[]
---@param values table<integer, any> one for each name; nil is an empty cell
function Outputs:csv(shape, names, values)
    self:csv_header(shape, names)
    local cells = {}
    for i = 1, #names do
        cells[i] = csv_cell(M.plain(values[i]))
    end
    io.write(table.concat(cells, ","), "\n")
end

---What was printed reaches its reader.
function Outputs:flush()
    io.flush()
end

---At the end of the run: writes the files that were asked for.
function Outputs:finish()
    if self.is_finished then
        return
    end
    self.is_finished = true
    report.write(self)
end

return M
