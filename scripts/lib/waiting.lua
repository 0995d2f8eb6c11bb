-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What else the event loop waits for: times, and descriptors that have input.

local errors = require("bpflua.errors")
local events = require("bpflua.events")

local M = {}

local function checked(of, seconds, fn)
    errors.arguments(of, { "seconds", "seconds!", "fn", "function!" }, seconds, fn)
    if seconds == 0 or seconds == math.huge then
        errors.fail({ what = ("argument `seconds` of `%s` is %s"):format(of, seconds), why = "it must be a number above 0 that ends" })
    end
    return function()
        fn()
    end
end

---Calls a function every so many seconds while a loop, a poll or `BPF.sleep` runs.
---@param seconds number above 0, with fractions
---@param fn fun() called without arguments
---@return integer timer for `BPF.cancel`
function M.interval(seconds, fn)
    local call = checked("interval", seconds, fn)
    return events.loop():every(seconds, call)
end

---Calls a function once, after so many seconds, while a loop, a poll or `BPF.sleep` runs.
---@param seconds number above 0, with fractions
---@param fn fun() called without arguments
---@return integer timer for `BPF.cancel`
function M.after(seconds, fn)
    local call = checked("after", seconds, fn)
    return events.loop():after(seconds, call)
end

---Ends an interval, or what `BPF.after` has not called yet.
---@param timer integer what `interval` or `after` gave
function M.cancel(timer)
    errors.arguments("cancel", { "timer", "i32!" }, timer)
    events.loop():cancel(timer)
end

---Calls a function with a descriptor whenever it has input, while a loop, a poll or `BPF.sleep` runs. The function reads the
---input, else it is called again at once.
---@param fd integer a file descriptor: of a socket, a pipe, a terminal
---@param fn fun(fd: integer)
---@return integer watch for `BPF.unwatch`
function M.watch(fd, fn)
    errors.arguments("watch", { "fd", "natural!", "fn", "function!" }, fd, fn)
    return events.loop():watch(fd, fn)
end

---Ends a watch.
---@param watch integer what `watch` gave
function M.unwatch(watch)
    errors.arguments("unwatch", { "watch", "i32!" }, watch)
    events.loop():unwatch(watch)
end

return M
