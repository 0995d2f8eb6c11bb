-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The one event loop of a script: every buffer, timer and trace line of all its BPF objects comes through it.

local C = require("bpflua.cfunctions")
local errors = require("bpflua.errors")
local loop = require("bpflua.loop")
local native = require("bpflua.native")

local M = { interrupted = loop.interrupted }

local the_loop

---The loop, made when it is first used.
---@return table
function M.loop()
    if not the_loop then
        the_loop = loop.new(C, { fail = errors.fail })
        -- Read by the Ctrl-C hook: a script with a loop is told of the stop by the loop.
        the_loop.used, the_loop.stop_told = false, false
        native.run.set_loop(the_loop)
        -- Whoever reads our output in a pipe wants each line when it is there, not pages of them.
        io.stdout:flush()
        io.stdout:setvbuf("line")
    end
    return the_loop
end

-- What is to be done before the script waits for the first time.
local before_wait = {}
-- Whether it has waited since the last object was made.
local waited = false

---Has a function called when the script next waits for events, timers or trace lines, once.
---@param fn fun()
function M.before_wait(fn)
    before_wait[#before_wait + 1] = fn
    waited = false
end

local at_end = {}

---Calls a function when the script has ended, while its objects are there still.
---@param fn fun()
function M.at_end(fn)
    at_end[#at_end + 1] = fn
end

---Does what was to be done before the script waits.
function M.prepare()
    while before_wait[1] do
        table.remove(before_wait, 1)()
    end
    if not waited then
        -- Everything is attached; what the making of objects alone needed of the memory can go, and with it its processes.
        waited = true
        native.run.give_back()
    end
end

local is_ready = false

-- With the first wait, or the end of a script that never waits, a start is over: `-vv` tells what it consisted of.
local function ready()
    if not is_ready then
        is_ready = true
        native.run.ready()
    end
end

-- The loop, about to wait: from now on Ctrl-C is the loop's to tell.
local function used()
    M.prepare()
    local events = M.loop()
    events.used = true
    ready()
    return events
end

---Waits for something to do, for whoever runs a loop of his own.
---@param deadline? number seconds of the monotonic clock
---@return "ready"|"timeout"|"stop" what `serve_next` is to be called after "ready"
function M.next(deadline)
    return M.loop():next(deadline)
end

---Whether there is something for `prepare` to do.
---@return boolean
function M.is_unprepared()
    return before_wait[1] ~= nil
end

---Does what `next` found.
function M.serve_next()
    return the_loop:serve_next()
end

---Whether a stop was asked for. Unlike `stopped`, nobody is told.
---@return boolean
function M.stop_requested()
    return C.stop_requested() ~= 0
end

-- Told when a loop begins and ends to run inside of a statement at the prompt.
local loop_listener

---Has a function called whenever a loop of the script begins and ends to run.
---@param fn? fun(is_running: boolean)
function M.on_loop(fn)
    loop_listener = fn
end

-- Calls a method of the loop, which waits for events. The listener learns of an error by itself.
local function with_loop(method, argument)
    local events = used()
    if not loop_listener then
        return events[method](events, argument)
    end
    loop_listener(true)
    local result, stop = events[method](events, argument)
    loop_listener(false)
    return result, stop
end

---Delivers what is there, else waits; see `b:perf_buffer_poll`.
---@param timeout_ms? number
---@return number delivered
---@return integer|"interrupted"? stop
function M.poll(timeout_ms)
    return with_loop("poll", timeout_ms)
end

---Runs handlers and timers until Ctrl-C, `BPF.exit`, or for so many seconds.
---@param seconds? number
---@return "interrupted"|"timeout" why it ended
function M.run(seconds)
    return (with_loop("run", seconds))
end

---Whether the script should end: Ctrl-C was pressed or `BPF.exit` called. A script that asked has been told.
---@return boolean
function M.stopped()
    if C.stop_requested() == 0 then
        return false
    end
    M.loop().stop_told = true
    return true
end

---Whether the script learned of the stop from the loop: going on from there it ended as it wanted.
---@return boolean
function M.was_told()
    return the_loop ~= nil and the_loop.stop_told
end

---Tells of losses not told of yet. At the end of the script.
function M.finish()
    ready()
    while at_end[1] do
        table.remove(at_end, 1)()
    end
    if the_loop then
        the_loop:finish()
    end
end

return M
