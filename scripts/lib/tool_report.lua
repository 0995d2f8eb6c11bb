-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a tool leaves behind: collects what is shown while it runs, and writes the flame graph and the page at its end.

local errors = require("bpflua.errors")
local events = require("bpflua.events")
local json = require("bpflua.json")
local map_losses = require("bpflua.map_losses")
local native = require("bpflua.native")
local objects = require("bpflua.objects")

local M = {}

-- What a page holds at most; of more the newest, and the page says how many are not there.
local MOST_ROWS, MOST_VIEWS, MOST_HISTOGRAMS, MOST_MESSAGES = 20000, 40, 400, 1000

---Text without what a terminal would take for commands: names of processes and files are what somebody chose.
---@param text string
---@return string
function M.printable(text)
    return (text:gsub("[%z\1-\31\127]", function(char)
        return ("\\x%02x"):format(char:byte())
    end))
end

---@class ToolReport
---@field sections table[] in the order in which they were shown
---@field stacks table[] all stacks, for the flame graph
---@field dropped table<string, integer> what was left out, by what it is
---@field messages string[]

local function monotonic()
    return tonumber(BPF.monotonic_time()) / 1e9
end

-- A file that cannot be written is known before the hour of tracing, not after it.
local function check_file(what, path)
    local file, _, errno = io.open(path, "ab")
    if not file then
        errors.fail({ kind = "machine", what = ("cannot write %s `%s`"):format(what, path), why = native.kernel.errno_words(errno), errno = errno })
    end
    file:close()
end

---Begins to collect.
---@param outputs ToolOutputs
function M.begin(outputs)
    local form = outputs.form
    if form.flamegraph then
        check_file("the flame graph", form.flamegraph)
    end
    if form.html then
        check_file("the page", form.html)
    end
    outputs.report = {
        sections = {},
        stacks = {},
        dropped = {},
        messages = {},
        started = os.time(),
        started_at = monotonic(),
    }
end

local function add_section(report, section)
    report.sections[#report.sections + 1] = section
    return section
end

local function drop(report, what, count)
    report.dropped[what] = (report.dropped[what] or 0) + count
end

-- Takes the oldest section of a kind out when there are more than so many.
local function keep_newest(report, counter, most, what, fits)
    report[counter] = (report[counter] or 0) + 1
    if report[counter] <= most then
        return
    end
    for i, section in ipairs(report.sections) do
        if fits(section) then
            table.remove(report.sections, i)
            report[counter] = report[counter] - 1
            drop(report, what, 1)
            return
        end
    end
end

local function headings(output)
    local list = {}
    for i, column in ipairs(output._columns) do
        list[i] = { title = column.title or column.name:upper(), kind = column.type, unit = column.unit, decimals = column.decimals }
    end
    return list
end

local function cells(output, row)
    local list = {}
    for i, column in ipairs(output._columns) do
        local value = row[column.name]
        if type(value) == "table" then
            value = table.concat(value, " < ")
        end
        list[i] = value == nil and json.null or value
    end
    -- Events are gone when their handler returns: the text of the row stays.
    return json.encode(list)
end

local function newest(rows)
    local kept = {}
    for i = #rows - MOST_ROWS + 1, #rows do
        kept[#kept + 1] = rows[i]
    end
    return kept
end

-- The rows of a table are kept as JSON: exact, and small beside tables of Lua's.
local function add(report, section, text)
    local rows = section.rows
    rows[#rows + 1] = text
    if #rows > 2 * MOST_ROWS then
        section.rows = newest(rows)
        drop(report, "rows", #rows - MOST_ROWS)
    end
end

---Keeps a row for the page.
---@param outputs ToolOutputs
---@param output bpflua.ToolOutput
---@param row table<string, any>
function M.add_row(outputs, output, row)
    if not outputs.form.html then
        return
    end
    local report = outputs.report
    report.rows_of = report.rows_of or {}
    local section = report.rows_of[output]
    if not section then
        section = add_section(report, { kind = "rows", title = output._name, columns = headings(output), rows = {} })
        report.rows_of[output] = section
    end
    add(report, section, cells(output, row))
end

---Keeps a view for the page; the last of each output is shown there, the older ones are folded.
---@param outputs ToolOutputs
---@param output bpflua.ToolOutput
---@param rows table<string, any>[]
---@param title? string
function M.add_view(outputs, output, rows, title)
    if not outputs.form.html then
        return
    end
    local report = outputs.report
    for _, section in ipairs(report.sections) do
        section.is_older = section.is_older or section.view_of == output
    end
    local section = { kind = "rows", view_of = output, title = title or output._name, at = os.date("%H:%M:%S"), columns = headings(output), rows = {} }
    for _, row in ipairs(rows) do
        add(report, section, cells(output, row))
    end
    add_section(report, section)
    keep_newest(report, "views", MOST_VIEWS, "older views", function(one)
        return one.view_of ~= nil
    end)
end

---Keeps a histogram for the page.
---@param outputs ToolOutputs
---@param data table `title`, `section`, `unit`, `buckets`
function M.add_hist(outputs, data)
    if not outputs.form.html then
        return
    end
    data.kind, data.at = "histogram", os.date("%H:%M:%S")
    add_section(outputs.report, data)
    keep_newest(outputs.report, "histograms", MOST_HISTOGRAMS, "older histograms", function(section)
        return section.kind == "histogram"
    end)
end

---Keeps stacks for the flame graph and the page, where those of one title are together; of snapshots the last.
---@param outputs ToolOutputs
---@param stacks table[]
---@param options {unit?: string, title?: string, is_snapshot?: boolean}
function M.add_stacks(outputs, stacks, options)
    if not (outputs.form.flamegraph or outputs.form.html) then
        return
    end
    local report, key = outputs.report, (options.is_snapshot and "" or options.title or "") .. "\0" .. (options.unit or "")
    report.stacks_of = report.stacks_of or {}
    local section = report.stacks_of[key]
    if not section then
        section = add_section(report, { kind = "stacks", title = options.title, unit = options.unit, stacks = {} })
        report.stacks_of[key] = section
    elseif options.is_snapshot then
        section.title, section.stacks = options.title, {}
    end
    for _, stack in ipairs(stacks) do
        -- The thread that the innermost frame leads to is one more frame.
        local frames = { stack.target or stack.waker }
        for _, frame in ipairs(stack.frames) do
            frames[#frames + 1] = frame
        end
        section.stacks[#section.stacks + 1] = {
            frames = #frames > 0 and frames or nil,
            value = tonumber(stack.value),
            comm = stack.comm,
        }
    end
end

---Keeps a line that the tool told its user.
---@param outputs ToolOutputs
---@param text string
function M.add_message(outputs, text)
    local report = outputs.report
    if not outputs.form.html then
        return
    elseif #report.messages < MOST_MESSAGES then
        report.messages[#report.messages + 1] = text
    else
        drop(report, "messages", 1)
    end
end

-- What was lost on the way here, a sentence each.
local function losses()
    local list = {}
    for _, source in pairs(events.loop().sources) do
        local lost = source:lost()
        if lost > 0 then
            list[#list + 1] = ("map `%s`: %d of %d events were lost"):format(source.name, lost, lost + source:delivered())
        end
    end
    for _, bpf in ipairs(objects) do
        for _, loss in ipairs(map_losses.list(bpf)) do
            list[#list + 1] = map_losses.text(bpf._maps[loss.map], loss)
        end
    end
    return list
end

local function left_out(report)
    local list = {}
    for what, count in pairs(report.dropped) do
        list[#list + 1] = ("the first %d %s"):format(count, what)
    end
    table.sort(list)
    return list
end

local function one_line(path)
    local file = io.open(path, "rb")
    local line = file and file:read("*l")
    if file then
        file:close()
    end
    return line or ""
end

local function command_line(name)
    local words = { "bpflua", name }
    for _, word in ipairs(arg) do
        words[#words + 1] = word:find("^[%w%-_./:=,@%%+]+$") and word or "'" .. word:gsub("'", "'\\''") .. "'"
    end
    return table.concat(words, " ")
end

-- Empty lists are left out: as JSON they would be objects.
local function some(list)
    return #list > 0 and list or nil
end

local function section_json(section)
    if section.kind ~= "rows" then
        section.stacks = section.stacks and some(section.stacks)
        return json.encode(section)
    end
    local head = json.encode({ kind = "rows", title = section.title, at = section.at, is_older = section.is_older, columns = some(section.columns) })
    return ('%s,"rows":[%s]}'):format(head:sub(1, -2), table.concat(section.rows, ","))
end

local function page_json(outputs)
    local report, entry = outputs.report, outputs.entry
    local sections = {}
    for i, section in ipairs(report.sections) do
        sections[i] = section_json(section)
    end
    local head = json.encode({
        tool = entry.name,
        summary = entry.entry.summary,
        command = command_line(entry.name),
        host = one_line("/proc/sys/kernel/hostname"),
        kernel = one_line("/proc/sys/kernel/osrelease") .. " " .. (jit.arch == "x64" and "x86-64" or jit.arch),
        started = os.date("%Y-%m-%d %H:%M:%S %z", report.started),
        duration = monotonic() - report.started_at,
        losses = some(losses()),
        messages = some(report.messages),
        left_out = some(left_out(report)),
    })
    return ('%s,"sections":[%s]}'):format(head:sub(1, -2), table.concat(sections, ","))
end

local function flamegraph_json(outputs)
    local stacks, unit = {}, nil
    for _, section in ipairs(outputs.report.sections) do
        for _, stack in ipairs(section.stacks or {}) do
            stacks[#stacks + 1] = stack
        end
        unit = unit or section.kind == "stacks" and section.unit or nil
    end
    return json.encode({ title = outputs.entry.name, unit = unit, stacks = some(stacks) }), #stacks
end

local function write_file(what, path, text)
    local file, _, errno = io.open(path, "wb")
    local written = file
    if file then
        written, _, errno = file:write(text)
        local closed, _, close_errno = file:close()
        written, errno = written and closed, errno or close_errno
    end
    if not written then
        errors.fail({ kind = "machine", what = ("cannot write %s `%s`"):format(what, path), why = native.kernel.errno_words(errno), errno = errno })
    end
end

---Writes the files that were asked for. At the end of the run.
---@param outputs ToolOutputs
function M.write(outputs)
    local form = outputs.form
    if form.flamegraph then
        local text, count = flamegraph_json(outputs)
        write_file("the flame graph", form.flamegraph, native.report.flamegraph(text))
        io.stderr:write(("flame graph of %d stacks: %s\n"):format(count, form.flamegraph))
    end
    if form.html then
        write_file("the page", form.html, native.report.page(page_json(outputs)))
        io.stderr:write(("page: %s\n"):format(form.html))
    end
end

return M
