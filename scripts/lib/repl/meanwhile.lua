-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands that take their time: handlers and timers run meanwhile, and their errors end nothing.

local C = require("bpflua.cfunctions")
local events = require("bpflua.events")
local repeats = require("bpflua.repl.repeats")
local sessions = require("bpflua.repl.session")

local M = {}

---What calls handlers so that their errors are told, and end nothing.
---@return fun(fn: fun())
function M.server()
    local errors = repeats.new(sessions.say)
    return function(fn)
        local ok, failure = sessions.guarded(fn)
        if not ok then
            errors:tell(sessions.report(failure))
        end
        errors:tell_repeats()
    end
end

---Waits for so many seconds. Raises when Ctrl-C ends the wait.
---@param seconds number
function M.wait(seconds)
    local serve, deadline = M.server(), C.clock_now() + seconds
    events.prepare()
    while C.clock_now() < deadline do
        local kind = events.next(deadline)
        if kind == "stop" then
            error("interrupted!", 0)
        elseif kind == "ready" then
            serve(events.serve_next)
        end
    end
end

return M
