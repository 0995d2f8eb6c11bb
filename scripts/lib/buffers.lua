-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of maps that carry events: perf buffers and ring buffers to handlers.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local events = require("bpflua.events")
local native = require("bpflua.native")
local json_lines = require("bpflua.json_lines")
local tables = require("bpflua.tables")
local types = require("bpflua.types")

local M = {}

---@class bpflua.BufferOptions
---@field callback? fun(cpu: integer, event: ffi.cdata*, size: integer)
---@field page_cnt? integer pages of memory per CPU, a power of two (default 64)
---@field lost_cb? fun(count: number, cpu: integer) called in place of a line on standard error
---@field wakeup_events? integer wake up once so many events are there (default: batched, a few milliseconds late at most)
---@field ctype? string|ffi.ctype* the event's C type, when the C text does not tell

local PERF_OPTIONS = {
    callback = "function!",
    page_cnt = "u32",
    lost_cb = "function",
    wakeup_events = "u32",
    ctype = "string|cdata",
}

local RING_OPTIONS = { callback = "function!", lost_cb = "function", ctype = "string|cdata" }

local function check_counts(of, options)
    local pages = options.page_cnt
    if pages and math.frexp(pages) ~= 0.5 then
        errors.fail({ what = ("option `page_cnt` of `%s` is %d"):format(of, pages), why = "it must be a power of two: 1, 2, 4, 8 …" })
    elseif options.wakeup_events == 0 then
        errors.fail({ what = ("option `wakeup_events` of `%s` is 0"):format(of), why = "it must be 1 or more" })
    end
end

-- A second handler would take the place of the first without a word.
local function open_once(map, method, add)
    if map.is_open then
        errors.fail({
            what = ("cannot call `%s` on map `%s`"):format(method, map.name),
            why = "it is open already, and a buffer has one handler",
        })
    end
    map.bpf:_add_source(add())
    rawset(map, "is_open", true)
end

-- In bcc-lua the callback for what is lost has a cookie in front, which is always NULL.
local function with_cookie(lost_cb)
    return type(lost_cb) == "function" and function(count, cpu)
        return lost_cb(nil, count, cpu)
    end or lost_cb
end

-- bcc-lua's order: callback, C type, its parameters, pages, lost callback. Ours: callback, options.
local function buffer_options(of, spec, callback, second, params, page_cnt, lost_cb)
    local options = { callback = callback, ctype = second, page_cnt = page_cnt, lost_cb = with_cookie(lost_cb) }
    if type(callback) == "table" then
        options = tables.copy(callback)
    elseif type(second) == "table" then
        if second.callback ~= nil then
            errors.fail({ what = ("`%s` is given two callbacks"):format(of), why = "its first argument, and the option `callback`" })
        end
        options = tables.copy(second, { callback = callback })
    end
    options = errors.options(of, options, spec)
    check_counts(of, options)
    if options.ctype ~= nil then
        options.ctype = types.c_type(of, "ctype", options.ctype, params)
    end
    return options
end

local function needs_kind(map, method, ...)
    for _, kind in ipairs({ ... }) do
        if map.kind == kind then
            return
        end
    end
    errors.fail({
        what = ("cannot call `%s` on map `%s`"):format(method, map.name),
        why = ("it is of type %s, not %s"):format(map.kind, table.concat({ ... }, " or ")),
    })
end

local function source_options(map, options)
    local ctype = options.ctype or map.event_type and map.event_type.ctype or nil
    if json_lines.wanted then
        options.ctype, ctype = nil, map.event_type and map.event_type.ctype or nil
    end
    return {
        fd = map:get_fd(),
        name = map.name,
        ctype = ctype,
        handler = json_lines.wanted and json_lines.handler(map.name, map.event_type) or options.callback,
        -- bcc-lua's handlers get a pointer, as their C type says; ours a struct that knows its members.
        args = { "cpu", (options.ctype or not ctype) and "ev" or "event", "size" },
        page_cnt = options.page_cnt,
        wakeup_events = options.wakeup_events,
        lost = options.lost_cb,
    }
end

---Has a handler called for each event of a perf buffer, while `perf_buffer_poll` or a loop runs.
---The event is the struct that the C text submits. It is good until the handler returns; `event:copy()` keeps it.
---`b.events:open_perf_buffer(function(cpu, event) print(event.pid) end)`
---@param self bpflua.Map
---@param callback fun(cpu: integer, event: ffi.cdata*, size: integer)|bpflua.BufferOptions
---@param options? bpflua.BufferOptions|string `page_cnt`, `lost_cb`, `wakeup_events`, `ctype`, see below; or bcc-lua's C type
---@return bpflua.Map self
function M.open_perf_buffer(self, callback, options, params, page_cnt, lost_cb)
    needs_kind(self, "open_perf_buffer", "perf_event_array")
    local given = buffer_options("open_perf_buffer", PERF_OPTIONS, callback, options, params, page_cnt, lost_cb)
    open_once(self, "open_perf_buffer", function()
        return events.loop():add_perf(source_options(self, given))
    end)
    return self
end

---Has a handler called for each record of a ring buffer. A negative number that it returns ends the poll or consume under
---way, as in bcc; what is left waits for the next one. `b:run` and what is delivered at the script's end go on.
---Records whose `flags` are 0 wake the script once per batch, some milliseconds late; `BPF_RB_FORCE_WAKEUP` wakes it at once.
---@param self bpflua.Map
---@param callback fun(cpu: integer, event: ffi.cdata*, size: integer): integer?|bpflua.BufferOptions cpu is -1
---@param options? bpflua.BufferOptions
---@return bpflua.Map self
function M.open_ring_buffer(self, callback, options)
    needs_kind(self, "open_ring_buffer", "ringbuf")
    local given = buffer_options("open_ring_buffer", RING_OPTIONS, callback, options)
    open_once(self, "open_ring_buffer", function()
        local source = source_options(self, given)
        source.lost_fd, source.lost_offset = native.maps.loss_counter(self.bpf:_object(), self.name)
        return events.loop():add_ring(source)
    end)
    -- From now on the loop tells of them.
    self.losses.asked = true
    return self
end

-- Only what points somewhere: a number in place of a pointer would read any memory.
local function check_bytes(map, data)
    local is_place = type(data) == "cdata" and not tonumber(data) and pcall(ffi.string, data, 0)
    local size = is_place and ffi.sizeof(data) or 0
    local is_pointer = is_place and tostring(ffi.typeof(data)):find("%*%)?>$") ~= nil
    if not is_place or is_pointer and data == nil or not is_pointer and size < map.event_type.size then
        errors.fail({
            what = ("`event` of map `%s` does not take a %s"):format(map.name, errors.type_name(data)),
            why = ("it must be a pointer to the %d bytes of a `%s`"):format(map.event_type.size, map.event_type.name),
        })
    end
end

---The event behind a pointer to its bytes.
---@param self bpflua.Map
---@param data ffi.cdata* a pointer to the bytes of an event, or the event
---@return ffi.cdata*
function M.event(self, data)
    if not self.event_type then
        errors.fail({
            what = ("cannot tell the type of events of map `%s`"):format(self.name),
            why = "the C text submits nothing through it",
        })
    end
    if ffi.istype(self.event_type.ctype, data) then
        return data
    end
    check_bytes(self, data)
    return ffi.cast(ffi.typeof("$ *", self.event_type.ctype), data)[0]
end

---Adds the methods to those of maps.
---@param methods table
function M.install(methods)
    methods.open_perf_buffer = M.open_perf_buffer
    methods.open_ring_buffer = M.open_ring_buffer
    methods.event = M.event
end

return M
