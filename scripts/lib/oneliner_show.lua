-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a one-liner has found, as rows and as text; its life between the first event and `stop`.

local ffi = require("ffi")
local columns = require("bpflua.columns")
local events = require("bpflua.events")
local format = require("bpflua.format")
local hist = require("bpflua.hist")
local json = require("bpflua.json")
local json_lines = require("bpflua.json_lines")
local native = require("bpflua.native")
local surface = require("bpflua.surface")
local symbols = require("bpflua.symbols")
local values = require("bpflua.oneliner_values")

local M = {}

---@class bpflua.Oneliner
---@field kind "count"|"stacks"|"hist"|"latency"|"trace"
---@field spec string the probes, as they were given
---@field code string the C text that was made of it
---@field bpf bpflua.BPF the object, with the maps `counts`, `stacks`, `events`
---@field is_running boolean
local Oneliner = {}

-- ---------------------------------------------------------------- reading

local CUT = "…"

local function stack_frames(self, member, id, row)
    local list, why = self.bpf.stacks:get(id)
    if not list then
        return { "[" .. (why or "no stack") .. "]" }
    end
    local names = {}
    for i, address in ipairs(list) do
        names[i] = member.user and symbols.sym(address, tonumber(row.pid) or -1, true) or symbols.ksym(address)
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
            value = value .. CUT
        end
        row[member.name] = value
    end
    for _, member in ipairs(stacks) do
        row[member.name] = stack_frames(self, member, row[member.name], row)
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

local function is_histogram(self)
    return self.kind == "hist" or self.kind == "latency"
end

local function all_rows(self, since_last)
    return is_histogram(self) and hist_rows(self, since_last) or count_rows(self, since_last)
end

---What was found, the largest first: each row has the values by their names and `count`; of histograms also `slots`, the
---counts by slot (slot i counts values of i significant bits, slot 0 those below zero). A value that is called like one
---of these two is `args.count`.
---@return table[]
function Oneliner:rows()
    local rows = {}
    for i, row in ipairs(self.kind == "trace" and {} or self.final or all_rows(self)) do
        rows[i] = { count = row.count, slots = row.slots }
        for name, value in pairs(row.values) do
            local is_taken = name == "count" or name == "slots"
            rows[i][is_taken and "args." .. name or name] = value
        end
    end
    return rows
end

-- ---------------------------------------------------------------- text

local function cell(value)
    return type(value) == "table" and table.concat(value, ";") or format.text(value)
end

local function stack_members(self)
    local list = {}
    for _, member in ipairs(self.members) do
        if member.kind == "stack" then
            list[#list + 1] = member
        end
    end
    return list
end

local function plain_members(self)
    local list = {}
    for _, member in ipairs(self.members) do
        if member.kind ~= "stack" then
            list[#list + 1] = member
        end
    end
    return list
end

-- The smallest first, so that what counts most stands last, above the prompt.
local function upwards(rows)
    local index = #rows + 1
    return function()
        index = index - 1
        return rows[index]
    end
end

local function stacks_text(self, rows)
    local lines, stacks, others = {}, stack_members(self), plain_members(self)
    for row in upwards(rows) do
        for _, member in ipairs(stacks) do
            for _, frame in ipairs(row.values[member.name]) do
                lines[#lines + 1] = "    " .. frame
            end
            if #stacks > 1 then
                lines[#lines + 1] = "    --"
            end
        end
        local words = {}
        for _, member in ipairs(others) do
            words[#words + 1] = member.name .. " = " .. cell(row.values[member.name])
        end
        words[#words + 1] = ("count = %d"):format(row.count)
        lines[#lines + 1] = "  " .. table.concat(words, ", ")
        lines[#lines + 1] = ""
    end
    return table.concat(lines, "\n")
end

-- A line for each stack, outermost frame first, as flame graphs want them.
local function folded_text(self, rows)
    local lines = {}
    for row in upwards(rows) do
        local frames = {}
        for _, member in ipairs(plain_members(self)) do
            frames[#frames + 1] = (cell(row.values[member.name]):gsub(";", ":"))
        end
        for i = #self.members, 1, -1 do
            local stack = self.members[i].kind == "stack" and row.values[self.members[i].name] or {}
            for at = #stack, 1, -1 do
                frames[#frames + 1] = stack[at]
            end
        end
        lines[#lines + 1] = table.concat(frames, ";") .. (" %d"):format(row.count)
    end
    return table.concat(lines, "\n") .. (#lines > 0 and "\n" or "")
end

local function count_text(self, rows)
    if #stack_members(self) > 0 then
        return self.options.folded and folded_text(self, rows) or stacks_text(self, rows)
    end
    local heads, list = {}, {}
    for i, member in ipairs(self.members) do
        heads[i] = member.name:upper()
    end
    heads[#heads + 1] = { "COUNT", right = true }
    for row in upwards(rows) do
        local cells = {}
        for i, member in ipairs(self.members) do
            cells[i] = row.values[member.name]
        end
        cells[#self.members + 1] = row.count
        list[#list + 1] = cells
    end
    return columns._table_text(list, heads)
end

local function hist_text(self, rows)
    local pieces = {}
    for row in upwards(rows) do
        local words = {}
        for i, member in ipairs(self.members) do
            local value = row.values[member.name]
            words[i] = member.name .. " = " .. (type(value) == "table" and table.concat(value, " < ") or cell(value))
        end
        if #words > 0 then
            pieces[#pieces + 1] = table.concat(words, ", ") .. "\n"
        end
        pieces[#pieces + 1] = hist.log2_text(row.slots, self.value_name, false, true)
        pieces[#pieces + 1] = "\n"
    end
    return table.concat(pieces)
end

local function json_text(self, rows)
    local lines = {}
    for row in upwards(rows) do
        local line = { probe = self.spec, kind = self.kind, values = row.values, count = row.count }
        if row.slots then
            line.slots = {}
            for slot, count in pairs(row.slots) do
                line.slots[tostring(slot)] = count
            end
        end
        lines[#lines + 1] = json.encode(line) .. "\n"
    end
    return table.concat(lines)
end

-- The largest, and a line about the others.
local function cut_to_top(self, rows)
    local top = self.options.top
    if not top or top == 0 or #rows <= top then
        return rows, ""
    end
    local kept, rest = {}, 0
    for i, row in ipairs(rows) do
        if i <= top then
            kept[i] = row
        else
            rest = rest + row.count
        end
    end
    return kept, ("%s %d more, counted %d times\n"):format(CUT, #rows - top, rest)
end

-- What must not be lost silently.
local function notes(self)
    if self.kind ~= "latency" then
        return ""
    end
    local missed = tonumber(self.bpf.unmatched:get(0):sum())
    if missed == 0 then
        return ""
    end
    return ("%d returns had no beginning: those calls were under way when tracing began, or made inside of another of the same function\n"):format(missed)
end

local function rows_text(self, rows)
    if #rows == 0 then
        return ("%s: nothing was counted\n"):format(self.spec)
    end
    local kept, rest = cut_to_top(self, rows)
    if json_lines.wanted then
        return json_text(self, kept)
    end
    local text = is_histogram(self) and hist_text(self, kept) or count_text(self, kept)
    return rest .. text
end

---What was found, as `print` shows it.
---@return string
function Oneliner:text()
    if self.kind == "trace" then
        return tostring(self) .. "\n"
    end
    return rows_text(self, self.final or all_rows(self)) .. (self.final_notes or notes(self))
end

local function write(text)
    if json_lines.wanted then
        return json_lines.write(text)
    end
    format.write(text)
end

---Prints what was found; with the option `interval`, what came since the last time.
function Oneliner:print()
    self.is_printed = not self.is_running
    if self.kind == "trace" then
        return
    elseif self.options.interval then
        local rows = all_rows(self, true)
        return write(rows_text(self, rows) .. (self.is_running and "" or notes(self)))
    end
    write(self:text())
end

-- ---------------------------------------------------------------- events

local function event_row(self, event)
    local row = { time = tonumber(event.time) / 1e9 - self.started }
    for _, member in ipairs(self.members) do
        local value = values.read(member, event, self.probes)
        row[member.name] = values.is_cut(member, value) and value .. CUT or value
    end
    for _, member in ipairs(stack_members(self)) do
        row[member.name] = stack_frames(self, member, row[member.name], row)
    end
    return row
end

local WIDTHS = { pid = 7, tid = 7, comm = 16, func = 20, cpu = 4 }

local function event_columns(self)
    local list = { { "TIME", width = 11, right = true } }
    for _, member in ipairs(self.members) do
        local name = member.name:gsub("^args%.", "")
        local width = WIDTHS[name] or math.max(#name, member.kind == "text" and 16 or 10)
        list[#list + 1] = { name:upper(), width = width }
    end
    return columns.columns(list)
end

local function print_event(self, row, out)
    local cells = { ("%.6f"):format(row.time) }
    for i, member in ipairs(self.members) do
        local value = row[member.name]
        cells[i + 1] = type(value) == "table" and value[1] or value
    end
    out:row(unpack(cells, 1, #self.members + 1))
    for _, member in ipairs(stack_members(self)) do
        for i = 2, #row[member.name] do
            print("    " .. row[member.name][i])
        end
    end
end

---Opens the buffer of a `trace`.
---@param self bpflua.Oneliner
function M.open(self)
    local handler, out, is_json = self.options.handler, nil, json_lines.wanted
    -- Events have their names in JSON from here, not from the members of the C text.
    json_lines.wanted = false
    self.bpf.events:open_ring_buffer(function(_, event)
        local row = event_row(self, event)
        if is_json then
            return json_lines.write(json.encode({ probe = self.spec, event = row }) .. "\n")
        elseif handler then
            return handler(row)
        end
        out = out or event_columns(self):header()
        print_event(self, row, out)
    end)
    json_lines.wanted = is_json
end

-- ---------------------------------------------------------------- life

local waiting = false
local all = {}

local function stop_waiting_when_done()
    for _, one in ipairs(all) do
        if one.is_running then
            return
        end
    end
    if waiting then
        events.loop():stop()
    end
end

---Detaches it; what it found until now stays to be read.
---@return bpflua.Oneliner self
function Oneliner:stop()
    if not self.is_running then
        return self
    end
    self.is_running = false
    for _, timer in ipairs(self.timers) do
        events.loop():cancel(timer)
    end
    if self.bpf._handle then
        -- Read first: the kernel takes its time to detach many probes.
        if self.kind ~= "trace" and not self.options.interval then
            self.final, self.final_notes = all_rows(self), notes(self)
        end
        native.attach.detach_all(self.bpf:_object())
    end
    stop_waiting_when_done()
    return self
end

---Waits until Ctrl-C, or until it stops by itself (option `seconds`); then prints it.
---@return bpflua.Oneliner self
function Oneliner:run()
    if self.is_running and not events.stopped() then
        M.run_until_done({ self })
    end
    self:stop()
    if not self.is_printed then
        self:print()
    end
    return self
end

---Runs the loop until Ctrl-C, or until all of these have stopped.
---@param list bpflua.Oneliner[]
function M.run_until_done(list)
    all, waiting = list, true
    local running = false
    for _, one in ipairs(list) do
        running = running or one.is_running
    end
    if running then
        events.run()
    end
    waiting = false
end

---Begins what a new one-liner does by the clock.
---@param self bpflua.Oneliner
---@return bpflua.Oneliner self
function M.start(self)
    local interval, seconds = self.options.interval, self.options.seconds
    if interval and interval > 0 and self.kind ~= "trace" then
        self.timers[#self.timers + 1] = events.loop():every(interval, function()
            if self.bpf._handle then
                self:print()
            end
        end)
    end
    if seconds then
        self.timers[#self.timers + 1] = events.loop():after(seconds, function()
            -- Its object may have been closed meanwhile.
            if self.bpf._handle then
                self:stop():print()
            end
        end)
    end
    return self
end

local function live_columns(self)
    local names = {}
    for i, member in ipairs(self.members) do
        names[i] = member.name
    end
    names[#names + 1] = "count"
    return names
end

-- How a live view shows it: what counts most first.
local function live_lines(self, options)
    local rows = self.kind ~= "trace" and (self.final or all_rows(self)) or {}
    if #rows == 0 then
        return { tostring(self) .. ": nothing yet" }
    elseif #stack_members(self) == 0 and not is_histogram(self) then
        local list = {}
        for i, row in ipairs(rows) do
            list[i] = setmetatable({ count = row.count }, { __index = row.values })
        end
        return require("bpflua.show_table").columned(list, live_columns(self), options)
    end
    -- Its own text has what counts most last.
    local pieces = {}
    for i = 1, math.min(#rows, options.rows) do
        pieces[i] = is_histogram(self) and hist_text(self, { rows[i] }) or stacks_text(self, { rows[i] })
    end
    return { (table.concat(pieces):gsub("\n+$", "")) }
end

M.Oneliner = {
    __index = Oneliner,
    __live = live_lines,
    __tostring = function(self)
        local state = self.is_running and "running" or "stopped"
        local count = #self.probes == 1 and "1 probe" or #self.probes .. " probes"
        return ("%s of %s (%s, %s)"):format(self.kind, self.spec, count, state)
    end,
    -- For `:json` at the prompt.
    __json = Oneliner.rows,
}

surface.add_methods("bpflua.Oneliner", Oneliner, {
    noun = "one-liner",
    is = function(value)
        return getmetatable(value) == M.Oneliner
    end,
})

return M
