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
local buffers = require("bpflua.loop_buffers")
local trace = require("bpflua.loop_trace")

-- What loop_wait gives: `Kind` in src/events/poll.rs.
local EVENTS, TIMER, LOST, DESCRIPTOR, TRACE, STOP, DRAINED, FAILED = 1, 2, 3, 4, 5, 6, 7, 8
-- What loop_wait takes.
local LOOK, WANT_TRACE = 1, 2

local FOREVER = math.huge
-- poll() with work at hand goes on for so long before it returns.
local POLL_SECONDS = 0.010

local M = {
    -- What is raised when a script goes on polling after Ctrl-C. bcc-lua's scripts know this text.
    interrupted = trace.interrupted,
    copy = buffers.copy,
}

local Loop = {}
Loop.__index = Loop

for _, methods in ipairs({ buffers.Loop, trace.Loop }) do
    for name, method in pairs(methods) do
        Loop[name] = method
    end
end

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

-- Does what loop_wait has found; returns the number of events delivered, and the negative number by which a handler ended it.
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

---Delivers everything that is in the buffers now, and nothing newer.
---@return number events delivered
function Loop:drain()
    local host, handle, n = self.host, self.handle, 0
    host.loop_begin_drain(handle)
    while true do
        local kind = host.loop_wait(handle, FOREVER, 0)
        if kind == DRAINED then
            return n + (self.trace_handler and self:drain_trace() or 0)
        end
        -- Nothing is read after this: a handler that ends it is given the next event all the same.
        local delivered = serve(self, kind)
        n = n + delivered
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
---@return integer|"interrupted"? stop the negative number that a handler returned: what is left waits for the next poll
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
        local delivered, code = serve(self, kind)
        n = n + delivered
        if code then
            return n, code
        end
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
---@return integer|"interrupted"? stop
function Loop:consume()
    return self:poll(0)
end

---Sleeps; Ctrl-C raises "interrupted!".
---@param seconds number
function Loop:sleep(seconds)
    if self.host.stop_sleep(seconds) ~= 0 then
        self.stop_told = true
        error(M.interrupted, 0)
    end
end

return M
