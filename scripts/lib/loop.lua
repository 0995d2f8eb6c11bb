-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The event loop: pulls records out of the host's buffers and calls handlers inside compiled Lua.
--
--     local loop = require("loop").new(functions)      the host's functions, cast; see src/events/ffi.rs
--     loop:add_perf{ name = "events", fd = map_fd, ctype = ffi.typeof("struct event"), handler = function(ev, cpu) end }
--     loop:every(1, print_summary)
--     loop:run()                                        returns after Ctrl-C, with everything delivered
--
-- An event is a pointer into the kernel's buffer: it is good until the handler returns. `loop.copy(ev)` keeps one.
-- An error in a handler leaves the loop like any Lua error; the next poll goes on with the next event.

local ffi = require("ffi")

-- What loop_wait gives: `Kind` in src/events/poll.rs.
local EVENTS, TIMER, LOST, DESCRIPTOR, TRACE, STOP, DRAINED, FAILED = 1, 2, 3, 4, 5, 6, 7, 8
-- What loop_wait takes.
local LOOK, WANT_TRACE = 1, 2

local FOREVER = math.huge
-- poll() with work at hand goes on for so long before it returns.
local POLL_SECONDS = 0.010
-- A loss is reported at most so often per buffer.
local REPORT_SECONDS = 1

local M = {
    -- What is raised when a script goes on polling after Ctrl-C. bcc-lua's scripts know this text.
    interrupted = "interrupted!",
}

local Loop = {}
Loop.__index = Loop

local Source = {}
Source.__index = Source

-- hotloop: a trace recorded at the first events takes the branches of empty tables for ever (twice the cost later).
-- The others: a script with many handlers has many traces.
jit.opt.start("hotloop=1000", "maxtrace=8000", "maxmcode=16384")

local function fail_with_text(parts)
    error(parts.report or (parts.what .. (parts.why and ": " .. parts.why or "")), 0)
end

local function report_to_stderr(text)
    io.stderr:write(text, "\n")
end

---@class LoopOptions
---@field fail? fun(parts: table) raises an error from `what`, `why`, `kind`, `errno`, `evidence`, `hints`
---@field report? fun(text: string) tells the user of a loss

---Makes a loop.
---@param functions table<string, ffi.cdata*> the host's functions by name
---@param options? LoopOptions
function M.new(functions, options)
    options = options or {}
    local handle = functions.loop_new()
    if handle == nil then
        error("cannot make an event loop: out of descriptors")
    end
    return setmetatable({
        host = functions,
        handle = handle,
        fail = options.fail or fail_with_text,
        report = options.report or report_to_stderr,
        sources = {},
        timers = {},
        descriptors = {},
        copy = M.copy,
    }, Loop)
end

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

-- Errors ----------------------------------------------------------------------------------------------------------

local function lines_with(report, prefix)
    local lines = {}
    for line in report:gmatch("[^\n]+") do
        if line:sub(1, #prefix) == prefix then
            lines[#lines + 1] = line:sub(#prefix + 1)
        end
    end
    return lines
end

---Raises the host's last error; `what`, if given, is put in front: the thing in the user's words.
function Loop:raise(what)
    local function part(number)
        return ffi.string(self.host.loop_error(self.handle, number))
    end
    local report, errno = part(3), self.host.loop_errno(self.handle)
    self.fail({
        kind = part(0),
        what = (what and what .. ": " or "") .. part(1),
        why = part(2),
        errno = errno ~= 0 and errno or nil,
        evidence = lines_with(report, "  "),
        hints = lines_with(report, "hint: "),
        report = report,
    })
end

function Loop:number_or_raise(number, what)
    if number < 0 then
        self:raise(what)
    end
    return number
end

-- Sources ---------------------------------------------------------------------------------------------------------

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

local OWN_CHUNK = debug.getinfo(1, "S").source

local function make_consumer(loop, index, options)
    local arguments = {}
    for i, name in ipairs(options.args or { "ev", "cpu", "size" }) do
        arguments[i] = ARGUMENTS[name] or error(("a handler has no argument `%s`"):format(name))
    end
    local make = assert(loadstring(CONSUMER:format(table.concat(arguments, ", ")), OWN_CHUNK))
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

local function add_source(loop, index, options)
    local source = setmetatable({
        loop = loop,
        index = index,
        name = options.name or ("buffer " .. index),
        on_lost = options.lost,
        consume = make_consumer(loop, index, options),
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
    return add_source(self, self:number_or_raise(number, options.name and "map `" .. options.name .. "`"), options)
end

---Adds a ring buffer. Its records come from all CPUs: `cpu` is -1.
---@param options SourceOptions
function Loop:add_ring(options)
    local lost_fd, lost_offset = options.lost_fd or -1, options.lost_offset or 0
    local number = self.host.loop_add_ring(self.handle, options.fd, lost_fd, lost_offset, least_bytes(options))
    return add_source(self, self:number_or_raise(number, options.name and "map `" .. options.name .. "`"), options)
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

-- Timers and descriptors ------------------------------------------------------------------------------------------

local function add_timer(loop, seconds, fn, repeats)
    local number = loop:number_or_raise(loop.host.loop_add_timer(loop.handle, seconds, repeats))
    loop.timers[number] = fn
    return number
end

---Calls `fn` every so many seconds while the loop runs. A late tick is dropped, not made up for.
---@return integer timer for `cancel`
function Loop:every(seconds, fn)
    return add_timer(self, seconds, fn, 1)
end

---Calls `fn` once, after so many seconds.
---@return integer timer for `cancel`
function Loop:after(seconds, fn)
    return add_timer(self, seconds, fn, 0)
end

function Loop:cancel(timer)
    self.host.loop_cancel_timer(self.handle, timer)
end

---Calls `fn(fd)` whenever the descriptor has input, until `unwatch`.
---@return integer number for `unwatch`
function Loop:watch(fd, fn)
    local number = self:number_or_raise(self.host.loop_add_fd(self.handle, fd))
    self.descriptors[number] = function() fn(fd) end
    return number
end

function Loop:unwatch(number)
    self.host.loop_remove_fd(self.handle, number)
    self.descriptors[number] = nil
end

-- The loop --------------------------------------------------------------------------------------------------------

-- Does what loop_wait has found; returns the number of events delivered.
local function serve(loop, kind)
    local handle = loop.handle
    if kind == EVENTS then
        return loop.sources[handle.source].consume()
    elseif kind == TIMER then
        loop.timers[handle.source]()
    elseif kind == LOST then
        loop.sources[handle.source]:note_loss(handle.count, handle.cpu, handle.now)
    elseif kind == DESCRIPTOR then
        local fn = loop.descriptors[handle.source]
        if fn then
            fn()
        end
    elseif kind == TRACE then
        return loop:deliver_trace()
    elseif kind == FAILED then
        loop:raise()
    end
    return 0
end

---Waits for something to do, and does nothing: for a loop that does more than this one.
---@param deadline? number seconds of the monotonic clock
---@return "ready"|"timeout"|"stop"
function Loop:next(deadline)
    local kind = self.host.loop_wait(self.handle, deadline or FOREVER, self.trace_handler and WANT_TRACE or 0)
    self.next_kind = kind
    return kind == STOP and "stop" or kind == 0 and "timeout" or "ready"
end

---Does what `next` found.
---@return number delivered
function Loop:serve_next()
    return serve(self, self.next_kind)
end

-- A stop is told once, by returning; whoever polls on after that is interrupted.
local function check_stop(loop)
    if loop.host.stop_requested() == 0 then
        loop.stop_told = false
    elseif loop.stop_told then
        error(M.interrupted, 0)
    end
end

-- Lines of trace_pipe that are there; so many rounds, because the writer may be faster than we are.
local function drain_trace(loop)
    local n = 0
    for _ = 1, 16 do
        if loop.host.trace_wait(loop.handle, 0) ~= 1 then
            break
        end
        n = n + loop:deliver_trace()
    end
    return n
end

---Delivers everything that is in the buffers now, and nothing newer.
---@return number events delivered
function Loop:drain()
    local host, handle, n = self.host, self.handle, 0
    host.loop_begin_drain(handle)
    while true do
        local kind = host.loop_wait(handle, FOREVER, 0)
        if kind == DRAINED then
            return n + (self.trace_handler and drain_trace(self) or 0)
        end
        n = n + serve(self, kind)
    end
end

---Runs until Ctrl-C, `stop()`, or for so many seconds; then delivers what is in the buffers and returns.
---@param seconds? number
---@return "stopped"|"interrupted"|"timeout" why it ended
function Loop:run(seconds)
    check_stop(self)
    local host, handle = self.host, self.handle
    local deadline = seconds and host.clock_now() + seconds or FOREVER
    local why
    self.stopping = false
    repeat
        local kind = host.loop_wait(handle, deadline, self.trace_handler and WANT_TRACE or 0)
        if kind == STOP then
            why, self.stop_told = "interrupted", true
        elseif kind == 0 then
            why = "timeout"
        else
            serve(self, kind)
            why = self.stopping and "stopped"
        end
    until why
    if not self.skip_drain then
        self:drain()
    end
    self.skip_drain = nil
    self:finish()
    return why
end

---Ends `run` from a handler or a timer.
---@param options? {drain: boolean} false: what is in the buffers stays there
function Loop:stop(options)
    self.stopping = true
    self.skip_drain = options and options.drain == false
end

---Delivers what is there, or else waits until something is: bcc's perf_buffer_poll. After Ctrl-C it delivers what is
---left and returns; the call after that raises "interrupted!".
---@param timeout_ms? number how long to wait, at most; nil or -1: for ever
---@return number events delivered
---@return "interrupted"? stop
function Loop:poll(timeout_ms)
    check_stop(self)
    local host, handle = self.host, self.handle
    local started = host.clock_now()
    local deadline = FOREVER
    local flags = self.trace_handler and WANT_TRACE or 0
    if timeout_ms and timeout_ms >= 0 then
        deadline = started + timeout_ms / 1000
        flags = flags + (timeout_ms == 0 and LOOK or 0)
    end
    local n, first = 0, nil
    while true do
        -- Once something was delivered, only what is ready counts.
        local kind = host.loop_wait(handle, first and 0 or deadline, flags)
        if kind == STOP then
            self.stop_told = true
            return n + self:drain(), "interrupted"
        elseif kind == 0 then
            return n
        end
        n = n + serve(self, kind)
        flags = self.trace_handler and WANT_TRACE or 0
        if n > 0 then
            first = first or handle.now
            if handle.now - first > POLL_SECONDS then
                return n
            end
        end
    end
end

---Delivers what is there without waiting.
---@return number events delivered
function Loop:consume()
    return (self:poll(0))
end

---Sleeps; Ctrl-C raises "interrupted!".
---@param seconds number
function Loop:sleep(seconds)
    if self.host.stop_sleep(seconds) ~= 0 then
        self.stop_told = true
        error(M.interrupted, 0)
    end
end

-- trace_pipe ------------------------------------------------------------------------------------------------------

---Opens trace_pipe for `trace_fields`, `trace_line` and `on_trace`.
---@param path string
function Loop:open_trace(path)
    self:number_or_raise(self.host.trace_open(self.handle, path))
end

local function fields_of(line)
    return ffi.string(line.task, line.task_len),
        line.pid,
        line.cpu,
        ffi.string(line.flags, line.flags_len),
        line.ts,
        ffi.string(line.msg, line.msg_len)
end

-- The next line by `take`, after waiting for one; nil: none now, or none any more.
local function next_trace(loop, take, nonblocking)
    local host, handle = loop.host, loop.handle
    while true do
        local line = take(handle)
        if line ~= nil then
            return line
        end
        if host.stop_requested() ~= 0 then
            loop.stop_told = true
            error(M.interrupted, 0)
        end
        local state = loop:number_or_raise(host.trace_wait(handle, nonblocking and 0 or FOREVER))
        -- Nothing came of a wait without end: that is a stop, and the next round says so.
        if state == 2 or (state == 0 and nonblocking) then
            return nil
        end
    end
end

---The fields of the next event of trace_pipe, as bcc gives them; Ctrl-C raises "interrupted!".
---@param nonblocking? boolean nil instead of waiting
---@return string? task
---@return integer pid
---@return integer cpu
---@return string flags
---@return number ts
---@return string msg
function Loop:trace_fields(nonblocking)
    local line = next_trace(self, self.host.trace_next, nonblocking)
    if line then
        return fields_of(line)
    end
end

---The next line of trace_pipe as it is, without its newline.
---@param nonblocking? boolean nil instead of waiting
---@return string?
function Loop:trace_line(nonblocking)
    local line = next_trace(self, self.host.trace_line, nonblocking)
    return line and ffi.string(line.msg, line.msg_len)
end

---Has `run` and `poll` deliver trace_pipe's events too: `fn(task, pid, cpu, flags, ts, msg)`.
function Loop:on_trace(fn)
    self.trace_handler = fn
end

function Loop:deliver_trace()
    for n = 0, 511 do
        local line = self.host.trace_next(self.handle)
        if line == nil then
            return n
        end
        self.trace_handler(fields_of(line))
    end
    return 512
end

---Events of trace_pipe that the kernel dropped, and lines that could not be understood.
---@return number lost
---@return number malformed
function Loop:trace_losses()
    return self.host.trace_count(self.handle, 0), self.host.trace_count(self.handle, 1)
end

return M
