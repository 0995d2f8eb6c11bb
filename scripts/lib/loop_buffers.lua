-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The buffers of an event loop: what calls a handler for each record, and what is told of records that were lost.

local ffi = require("ffi")

local FOREVER = math.huge
-- A loss is reported at most so often per buffer.
local REPORT_SECONDS = 1

local M = {}

-- Methods of the loop.
local Loop = {}
M.Loop = Loop

local Source = {}
Source.__index = Source

-- The struct that a source's pointer type points to, by the number of the pointer type.
local pointees = {}

---Keeps an event: a copy of the struct behind the pointer that a handler got.
---@param ev ffi.cdata*
---@return ffi.cdata*
function M.copy(ev)
    local ctype = pointees[tonumber(ffi.typeof(ev))]
    if not ctype then
        error("not an event: only what a handler got as `ev` can be copied", 2)
    end
    return ffi.new(ctype, ev[0])
end

-- What a handler can be given, as Lua in the consumer's loop.
local ARGUMENTS = {
    ev = "cast(pointer, data)",
    event = "cast(pointer, data)[0]",
    data = "data",
    cpu = "handle.cpu",
    size = "handle.len",
}

-- One loop per source, made of text: its handler and types are constants of its traces. Empty lines in front give the
-- text the line numbers that it has in this file.
local CONSUMER = ("\n"):rep(debug.getinfo(1, "l").currentline) .. [[
local record, handle, source, handler, cast, pointer = ...
return function()
    local n = 0
    while true do
        local data = record(handle, source)
        if data == nil then
            return n
        end
        n = n + 1
        handler(%s)
    end
end
]]

-- A ring buffer's handler may end the reading by a negative number, as libbpf and bcc have it.
local RING_CONSUMER = CONSUMER:gsub("handler%(%%s%)", [[local code = handler(%%s)
        if type(code) == "number" and code < 0 then
            return n, code
        end]])

local OWN_CHUNK = debug.getinfo(1, "S").source

local function make_consumer(loop, index, options, text)
    local arguments = {}
    for i, name in ipairs(options.args or { "ev", "cpu", "size" }) do
        arguments[i] = ARGUMENTS[name] or error(("a handler has no argument `%s`"):format(name))
    end
    local make = assert(loadstring(text:format(table.concat(arguments, ", ")), OWN_CHUNK))
    local pointer = ffi.typeof("const uint8_t *")
    if options.ctype and not options.raw then
        pointer = ffi.typeof("$ *", options.ctype)
        pointees[tonumber(pointer)] = options.ctype
    end
    return make(loop.host.loop_record, loop.handle, index, options.handler, ffi.cast, pointer)
end

local function least_bytes(options)
    return options.ctype and not options.raw and ffi.sizeof(options.ctype) or 0
end

local function add_source(loop, index, options, consumer)
    local source = setmetatable({
        loop = loop,
        index = index,
        name = options.name or ("buffer " .. index),
        on_lost = options.lost,
        consume = make_consumer(loop, index, options, consumer),
        unreported = {},
        unreported_count = 0,
        reported_at = -FOREVER,
        finished_total = 0,
    }, Source)
    loop.sources[index] = source
    return source
end

---@class SourceOptions
---@field fd integer the map's descriptor
---@field handler fun(...) called with `args`
---@field name? string the map as the user knows it
---@field ctype? ffi.ctype* the event's type; without it the handler gets bytes
---@field args? string[] what the handler gets: `ev`, `cpu`, `size` (the default, in this order), `event` (`ev[0]`), `data`
---@field raw? boolean `ev` is a `const uint8_t *` whatever the type
---@field lost? fun(count: number, cpu: integer) called instead of the line on stderr; cpu -1: of no single CPU
---@field page_cnt? integer perf: pages per CPU, a power of two
---@field wakeup_events? integer perf: events per wake-up
---@field lost_fd? integer ring: array in which the program counts what did not fit
---@field lost_offset? integer where in its value 0, a u64 (default 0)

---Adds a perf buffer.
---@param options SourceOptions
function Loop:add_perf(options)
    local number = self.host.loop_add_perf(
        self.handle,
        options.fd,
        options.page_cnt or 0,
        options.wakeup_events or 0,
        least_bytes(options)
    )
    return add_source(self, self:number_or_raise(number, options.name and "map `" .. options.name .. "`"), options, CONSUMER)
end

---Adds a ring buffer. Its records come from all CPUs: `cpu` is -1. A handler that returns a negative number ends a `poll`.
---@param options SourceOptions
function Loop:add_ring(options)
    local lost_fd, lost_offset = options.lost_fd or -1, options.lost_offset or 0
    local number = self.host.loop_add_ring(self.handle, options.fd, lost_fd, lost_offset, least_bytes(options))
    return add_source(self, self:number_or_raise(number, options.name and "map `" .. options.name .. "`"), options, RING_CONSUMER)
end

---Events delivered so far.
---@param cpu? integer of one CPU
function Source:delivered(cpu)
    return self.loop.host.loop_delivered(self.loop.handle, self.index, cpu or -1)
end

---Events lost so far. Once everything was read, delivered + lost = submitted. Asking interrupts the CPUs: not per event.
---@param cpu? integer of one CPU
function Source:lost(cpu)
    return self.loop.host.loop_lost(self.loop.handle, self.index, cpu or -1)
end

---Takes the source out of the loop; what it holds is not delivered any more.
function Source:close()
    self.loop.host.loop_remove(self.loop.handle, self.index)
end

---Events lost so far of the source with this name, or of all.
---@param name? string
function Loop:lost(name)
    local total = 0
    for _, source in pairs(self.sources) do
        if not name or source.name == name then
            total = total + source:lost()
        end
    end
    return total
end

-- Losses ----------------------------------------------------------------------------------------------------------

local function cpu_words(cpus)
    local list = {}
    for cpu in pairs(cpus) do
        if cpu >= 0 then
            list[#list + 1] = cpu
        end
    end
    table.sort(list)
    if #list == 0 then
        return ""
    end
    return (#list == 1 and " on CPU " or " on CPUs ") .. table.concat(list, ",")
end

function Source:report_losses(now)
    local total = self:lost()
    local line = "lost %d events of %s%s (%d in total)"
    self.loop.report(line:format(self.unreported_count, self.name, cpu_words(self.unreported), total))
    self.unreported, self.unreported_count = {}, 0
    self.reported_at = now
end

function Source:note_loss(count, cpu, now)
    if self.on_lost then
        return self.on_lost(count, cpu)
    end
    self.unreported[cpu] = true
    self.unreported_count = self.unreported_count + count
    if now - self.reported_at >= REPORT_SECONDS then
        self:report_losses(now)
    end
end

---Tells what was lost in total, if it is more than the last time. `run` does so at its end; the host calls it when the
---script ends.
function Loop:finish()
    for _, source in pairs(self.sources) do
        local total = source:lost()
        if not source.on_lost and total > source.finished_total then
            local all = total + source:delivered()
            self.report(("lost %d of %d events of %s in total"):format(total, all, source.name))
            source.finished_total = total
        end
        source.unreported, source.unreported_count = {}, 0
    end
end

return M
