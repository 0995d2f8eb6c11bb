-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a tool prints, in the form that was asked for: text for people, JSON lines, CSV; folded stacks, a flame graph, a page.

local columns = require("bpflua.columns")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local json = require("bpflua.json")
local native = require("bpflua.native")
local tool_stacks = require("bpflua.tool_stacks")

local M = {}

-- ---------------------------------------------------------------- one table of rows

---@class bpflua.ToolOutput
local Output = {}
Output.__index = Output
M.Output = Output

local function is_shown(column, args)
    local when = column.when
    if not when then
        return true
    end
    local name = when:gsub("^!", "")
    local given = args[name] ~= nil and args[name] ~= false
    return given == (when:sub(1, 1) ~= "!")
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
        if is_shown(column, all.args) then
            self._columns[#self._columns + 1] = column
        end
    end
    self:_arrange({})
    return self
end

local function cell(column, value)
    if value == nil then
        return nil
    elseif column.decimals and tonumber(value) then
        return ("%." .. column.decimals .. "f"):format(tonumber(value))
    end
    return value
end

local function plain(value)
    if type(value) == "cdata" and not tonumber(value) then
        return format.text(value)
    end
    return value
end

local function csv_cell(value)
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
        object[#object + 1] = json.encode(column.name) .. ":" .. json.encode(plain(row[column.name]))
    end
    if self._name then
        table.insert(object, 1, '"output":' .. json.encode(self._name))
    end
    io.write("{", table.concat(object, ","), "}\n")
end

function Output:_csv(row)
    local cells = {}
    for i, column in ipairs(self._columns) do
        cells[i] = csv_cell(plain(row and row[column.name] or (not row and column.name)))
    end
    io.write(table.concat(cells, ","), "\n")
end

function Output:_row(row)
    local cells = {}
    for i, column in ipairs(self._columns) do
        cells[i] = cell(column, row[column.name])
    end
    self._text:row(unpack(cells, 1, #self._columns))
end

---Prints the headings, unless they are there already: for tools that want them before the first row comes.
function Output:header()
    if self._has_header then
        return
    end
    self._has_header = true
    if self._all.form.csv then
        self:_csv(nil)
    elseif not self._all.form.json and #self._columns > 0 then
        self._text:header()
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
    self._all:collect(self, row)
    if self._all.form.json then
        self:_json(row)
    elseif self._all.form.csv then
        self:_csv(row)
    else
        self:_row(row)
    end
end

-- ---------------------------------------------------------------- all outputs of a tool

---@class ToolOutputs
local Outputs = {}
Outputs.__index = Outputs

---The outputs of an entry.
---@param entry table
---@param args table<string, any>
---@param form table how to print
---@return ToolOutputs
function M.new(entry, args, form)
    local self = setmetatable({ entry = entry, args = args, form = form, outputs = {}, report = {} }, Outputs)
    self.main = new_output(self, nil, entry.columns)
    for name, output in pairs(entry.outputs) do
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

---Keeps what was shown, for a page.
function Outputs:collect(output, row)
    if not self.form.html then
        return
    end
    local last = self.report[#self.report]
    if not last or last.output ~= output then
        last = { kind = "rows", output = output, name = output._name, columns = output._columns, rows = {} }
        self.report[#self.report + 1] = last
    end
    local copy = {}
    for _, column in ipairs(output._columns) do
        copy[column.name] = plain(row[column.name])
    end
    last.rows[#last.rows + 1] = copy
end

function Outputs:is_text()
    return not (self.form.json or self.form.csv or self.form.folded)
end

function Outputs:say(text)
    if self:is_text() then
        print(text)
    else
        io.stderr:write(text, "\n")
    end
end

-- ---------------------------------------------------------------- histograms

-- The counts of a histogram map by section, in the order of their keys: `{section = text or nil, key = its number, if it is one, slots =
-- {[slot] = count}}`.
local function sections(map, options)
    local by_section, list = {}, {}
    for key, value in map:items() do
        local bucket, slot, key_number = nil, key, nil
        if type(key) == "cdata" and not tonumber(key) then
            local fields = key:to_table()
            slot = fields.slot
            fields.slot = nil
            local first = next(fields)
            bucket = fields[first]
            key_number = tonumber(bucket)
            bucket = options.section_fn and options.section_fn(bucket) or format.text(bucket)
        end
        local count = tonumber(value)
        if count > 0 then
            local name = bucket or false
            if not by_section[name] then
                by_section[name] = { section = bucket and tostring(bucket), key = key_number, slots = {} }
                list[#list + 1] = by_section[name]
            end
            local slots = by_section[name].slots
            slots[tonumber(slot)] = (slots[tonumber(slot)] or 0) + count
        end
    end
    table.sort(list, function(a, b)
        if a.key and b.key and a.key ~= b.key then
            return a.key < b.key
        end
        return (a.section or "") < (b.section or "")
    end)
    return list
end

-- The buckets of a histogram from the first that counts to the last: `{low, high, count}`.
local function buckets(slots, linear)
    local first, last = math.huge, -1
    for slot in pairs(slots) do
        first, last = math.min(first, slot), math.max(last, slot)
    end
    local list = {}
    for slot = first, last do
        local low, high = slot, slot
        if not linear then
            low, high = slot <= 1 and 0 or 2 ^ (slot - 1), 2 ^ slot - 1
        end
        list[#list + 1] = { low = low, high = high, count = slots[slot] or 0 }
    end
    return list
end

local function hist_rows(self, list, options)
    for _, one in ipairs(list) do
        for _, bucket in ipairs(buckets(one.slots, options.linear)) do
            local row = { title = options.title, section = one.section, unit = options.unit, low = bucket.low, high = bucket.high, count = bucket.count }
            if self.form.csv then
                if not self.has_hist_header then
                    io.write("title,section,unit,low,high,count\n")
                    self.has_hist_header = true
                end
                local cells = {}
                for i, name in ipairs({ "title", "section", "unit", "low", "high", "count" }) do
                    cells[i] = csv_cell(row[name])
                end
                io.write(table.concat(cells, ","), "\n")
            end
        end
    end
end

function Outputs:hist(map, options)
    if self.form.json or self.form.csv or self.form.html then
        local list = sections(map, options)
        for _, one in ipairs(list) do
            local data = { title = options.title, section = one.section, key = one.key, unit = options.unit, buckets = buckets(one.slots, options.linear) }
            if self.form.json then
                io.write(json.encode({ histogram = data }), "\n")
            end
            if self.form.html then
                self.report[#self.report + 1] = { kind = "hist", data = data }
            end
        end
        if self.form.csv then
            hist_rows(self, list, options)
        end
    end
    if self:is_text() then
        if options.title then
            print(options.title)
        end
        local method = options.linear and "print_linear_hist" or "print_log2_hist"
        map[method](map, options.unit or "value", options.section or "section", options.section_fn)
    end
    if options.clear then
        map:clear()
    end
end

-- ---------------------------------------------------------------- stacks

function Outputs:stacks(stacks, options)
    table.sort(stacks, function(a, b)
        return tonumber(a.value) < tonumber(b.value)
    end)
    if options.title and self:is_text() then
        print(options.title)
    end
    local lines = {}
    for _, stack in ipairs(stacks) do
        if self.form.folded or self.form.flamegraph or self.form.html then
            lines[#lines + 1] = tool_stacks.folded(stack)
        end
        if self.form.json then
            local object = { unit = options.unit, buckets = stack.slots and buckets(stack.slots) }
            for name, value in pairs(stack) do
                object[name] = name ~= "slots" and value or nil
            end
            io.write(json.encode(object), "\n")
        elseif self.form.csv then
            io.write(csv_cell(stack.comm), ",", csv_cell(stack.value), ",", csv_cell(table.concat(stack.frames, ";")), "\n")
        elseif self:is_text() and not self.form.flamegraph then
            print(tool_stacks.text(stack, options))
        end
    end
    if self.form.folded then
        io.write(table.concat(lines, "\n"), #lines > 0 and "\n" or "")
    end
    if self.form.flamegraph or self.form.html then
        self.folded, self.folded_unit = self.folded or {}, options.unit
        for _, line in ipairs(lines) do
            self.folded[#self.folded + 1] = line
        end
    end
end

-- ---------------------------------------------------------------- whole tables, the end

local CLEAR = "\27[H\27[2J"

function Outputs:view(rows, options)
    local output = self:of(options.output)
    if self:is_text() then
        if not options.keep and native.terminal.is_output() then
            io.write(CLEAR)
        end
        if options.title then
            print(options.title)
        end
        output._has_header = false
        output:header()
    end
    for _, row in ipairs(rows) do
        output:print(row)
    end
    if self:is_text() then
        print("")
    end
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
    if self.form.flamegraph or self.form.html then
        require("bpflua.tool_report").write(self)
    end
end

return M
