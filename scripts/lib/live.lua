-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A live view of a map: all of the terminal, sorted, with what came since it was last drawn, until `q`. Handlers and timers go
-- on meanwhile.

local C = require("bpflua.cfunctions")
local events = require("bpflua.events")
local map = require("bpflua.map")
local native = require("bpflua.native")
local show = require("bpflua.show")
local show_map = require("bpflua.show_map")
local text = require("bpflua.show_text")

local M = {}

-- A new size of the terminal is seen after so many seconds at most.
local LOOK_SECONDS = 0.1

-- The screen from its first cell; the rest of a line, and what is below, is cleared as it is drawn: nothing flickers.
local HOME, END_OF_LINE, BELOW, REVERSE, PLAIN = "\27[H", "\27[K", "\27[J", "\27[7m", "\27[0m"

local QUIT = { q = true, Q = true, ["\3"] = true, ["\4"] = true }

---@class LiveView
---@field value any what is shown
---@field title string
---@field seconds number between two looks at it
---@field options table as for `show`
local View = {}
View.__index = View

-- What the keys do, where there is room for it.
local KEYS = { "s sorts, r reverses, space pauses, q quits", "space pauses, q quits" }

local function heading(view, width)
    local state = view.is_paused and "paused" or ("every %s s"):format(("%.3f"):format(view.seconds):gsub("%.?0+$", ""))
    local left = ("%s  %s"):format(view.title, state)
    local column = view.sort and view.sortable[view.sort.column]
    if column then
        left = ("%s, by %s %s"):format(left, column[1], view.sort.is_up and "▲" or "▼")
    end
    for i = #view.sortable > 0 and 1 or 2, #KEYS do
        local room = width - text.width(KEYS[i])
        if room > text.width(left) then
            return text.pad(left, room) .. KEYS[i]
        end
    end
    return text.pad(text.cut(left, width), width)
end

-- The lines of what is shown, and the columns that it can be sorted by. Of a map: what came in each second since the last
-- look, too.
local function body(view, width, rows)
    local options = setmetatable({ width = width, rows = rows, sort = view.sort }, { __index = view.options })
    local meta = getmetatable(view.value)
    if type(meta) == "table" and rawget(meta, "__live") then
        return meta.__live(view.value, options)
    elseif not map.receiver.is(view.value) then
        return show.lines(view.value, options)
    end
    local now = C.clock_now()
    options.previous, options.elapsed = view.previous, now - (view.looked_at or now)
    local lines, seen, columns = show_map.lines(view.value, options)
    -- What comes within a moment is no rate: a look that a key asked for is not one to compare with.
    if not view.looked_at or options.elapsed > view.seconds / 2 then
        view.previous, view.looked_at = seen, now
    end
    return lines, columns
end

local function split(lines)
    local all = {}
    for _, line in ipairs(lines) do
        for one in (line .. "\n"):gmatch("(.-)\n") do
            all[#all + 1] = one
        end
    end
    return all
end

function View:look()
    local lines, sortable = body(self, self.columns, math.max(1, self.rows - 4))
    self.lines, self.sortable = split(lines), sortable or {}
end

function View:draw()
    local out = { HOME, REVERSE, heading(self, self.columns), PLAIN, END_OF_LINE }
    for i = 1, math.min(#self.lines, self.rows - 1) do
        local line = self.lines[i]
        if i == self.rows - 1 and #self.lines > i then
            line = ("%s %s"):format(text.MARK, text.counted(#self.lines - i + 1, "line"))
        end
        out[#out + 1] = "\r\n" .. text.cut(line, self.columns) .. END_OF_LINE
    end
    out[#out + 1] = BELOW
    native.terminal.write(self.terminal, table.concat(out))
end

-- Whether the size is another than it was.
function View:resize()
    local columns, rows = native.terminal.live_size(self.terminal)
    local is_new = columns ~= self.columns or rows ~= self.rows
    self.columns, self.rows = columns, rows
    return is_new
end

-- The next column to sort by, numbers from the largest, texts from the first; behind the last one the view's own order.
function View:sort_by_next()
    local number = (self.sort and self.sort.column or 0) + 1
    local column = self.sortable[number]
    self.sort = column and { column = number, is_up = not column.right } or nil
end

-- What the keys ask for.
function View:take_keys()
    for key in native.terminal.keys(self.terminal):gmatch(".") do
        if QUIT[key] then
            self.is_over = true
        elseif key == " " then
            self.is_paused = not self.is_paused
            self.is_stale = true
        elseif key == "s" then
            self:sort_by_next()
            self.is_stale, self.lines = true, nil
        elseif key == "r" and self.sort then
            self.sort.is_up = not self.sort.is_up
            self.is_stale, self.lines = true, nil
        end
    end
end

-- Runs handlers and timers until it is time to look again.
function View:wait(deadline)
    while not self.is_over and C.clock_now() < deadline do
        local kind = events.next(math.min(deadline, C.clock_now() + LOOK_SECONDS))
        if kind == "stop" then
            self.is_over, self.is_stopped = true, true
        elseif kind == "ready" then
            self.serve(events.serve_next)
        end
        if self:resize() and not self.is_stale then
            self:look()
            self:draw()
        elseif self.is_stale then
            self.is_stale = false
            return
        end
    end
end

function View:run()
    local watch = events.loop():watch(native.terminal.fd(self.terminal), function()
        self:take_keys()
    end)
    local ok, failure = pcall(function()
        self:resize()
        while not self.is_over do
            if not self.is_paused or not self.lines then
                self:look()
            end
            self:draw()
            self:wait(C.clock_now() + self.seconds)
        end
    end)
    events.loop():unwatch(watch)
    native.terminal.close(self.terminal)
    if not ok then
        error(failure, 0)
    end
end

---Shows a value until `q` is pressed, Ctrl-C, or a stop is asked for.
---@param value any
---@param title string
---@param options {seconds: number, unit?: string, histogram?: string}
---@param serve? fun(fn: fun()) calls a handler; a script's errors end the view, the prompt's do not
---@return "interrupted"? stop
function M.view(value, title, options, serve)
    local view = setmetatable({
        value = value,
        title = text.printable(title),
        seconds = options.seconds,
        options = { unit = options.unit, histogram = options.histogram },
        terminal = native.terminal.open(),
        serve = serve or function(fn) fn() end,
        is_over = false,
        is_paused = false,
        is_stale = false,
        columns = 0,
        rows = 0,
        sortable = {},
    }, View)
    events.prepare()
    view:run()
    return view.is_stopped and "interrupted" or nil
end

return M
