-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A one-liner as an object: what it has found, the events that it prints, its life between the first of them and `stop`.

local columns = require("bpflua.columns")
local events = require("bpflua.events")
local format = require("bpflua.format")
local json = require("bpflua.json")
local json_lines = require("bpflua.json_lines")
local native = require("bpflua.native")
local print_of = require("bpflua.oneliner_print")
local rows_of = require("bpflua.oneliner_rows")
local surface = require("bpflua.surface")
local values = require("bpflua.oneliner_values")

local M = {}

---@class bpflua.Oneliner
---@field kind "count"|"stacks"|"hist"|"latency"|"trace"
---@field spec string the probes, as they were given
---@field code string the C text that was made of it
---@field bpf bpflua.BPF the object, with the maps `counts`, `stacks`, `events`
---@field is_running boolean
local Oneliner = {}

---What was found, the largest first: each row has the values by their names and `count`; of histograms also `slots`, the
---counts by slot (slot i counts values of i significant bits, slot 0 those below zero). A value that is called like one
---of these two is `args.count`.
---@return table[]
function Oneliner:rows()
    local rows = {}
    for i, row in ipairs(self.kind == "trace" and {} or self.final or rows_of.all(self)) do
        rows[i] = { count = row.count, slots = row.slots }
        for name, value in pairs(row.values) do
            local is_taken = name == "count" or name == "slots"
            rows[i][is_taken and "args." .. name or name] = value
        end
    end
    return rows
end

---What was found, as `print` shows it.
---@return string
function Oneliner:text()
    if self.kind == "trace" then
        return tostring(self) .. "\n"
    end
    return print_of.rows_text(self, self.final or rows_of.all(self)) .. (self.final_notes or print_of.notes(self))
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
        local rows = rows_of.all(self, true)
        return write(print_of.rows_text(self, rows) .. (self.is_running and "" or print_of.notes(self)))
    end
    write(self:text())
end

-- ---------------------------------------------------------------- events

local function event_row(self, event)
    local row = { time = tonumber(event.time) / 1e9 - self.started }
    for _, member in ipairs(self.members) do
        local value = values.read(member, event, self.probes)
        row[member.name] = values.is_cut(member, value) and value .. rows_of.CUT or value
    end
    for _, member in ipairs(print_of.stack_members(self)) do
        row[member.name] = rows_of.stack_frames(self, member, row[member.name], row)
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
    for _, member in ipairs(print_of.stack_members(self)) do
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

-- Runs the loop until Ctrl-C, or until all of these have stopped.
local function run_until_done(list)
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
            self.final, self.final_notes = rows_of.all(self), print_of.notes(self)
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
        run_until_done({ self })
    end
    self:stop()
    if not self.is_printed then
        self:print()
    end
    return self
end

-- Begins what a new one-liner does by the clock.
local function start(self)
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

M.Oneliner = {
    __index = Oneliner,
    __live = require("bpflua.oneliner_live"),
    __tostring = function(self)
        local state = self.is_running and "running" or "stopped"
        local count = #self.probes == 1 and "1 probe" or #self.probes .. " probes"
        return ("%s of %s (%s, %s)"):format(self.kind, self.spec, count, state)
    end,
    -- For `:json` at the prompt.
    __json = Oneliner.rows,
    -- What the prompt says beside the first of them.
    __hint = function(self)
        if not self.is_running then
            return nil
        elseif self.kind == "trace" then
            return "`_:stop()` ends it"
        end
        return "`_:print()` shows what it has, `:watch _` goes on showing it, `_:stop()` ends it"
    end,
}

surface.add_methods("bpflua.Oneliner", Oneliner, {
    noun = "one-liner",
    is = function(value)
        return getmetatable(value) == M.Oneliner
    end,
})

-- The one-liners of this script, in the order of their making.
local live = {}

---Takes a one-liner among those that are printed at the end.
function M.adopt(self)
    live[#live + 1] = self
    return start(setmetatable(self, M.Oneliner))
end

---Runs the one-liners of a `-e` text until Ctrl-C, or until all have stopped, and prints them.
function M.finish()
    local running = 0
    for _, self in ipairs(live) do
        running = running + (self.is_running and 1 or 0)
    end
    if running > 0 and not events.stopped() then
        run_until_done(live)
    end
    for _, self in ipairs(live) do
        self:stop()
        if not self.is_printed then
            self:print()
        end
    end
end

return M
