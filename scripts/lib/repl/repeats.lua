-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Errors of handlers: told whole the first time, counted while they repeat.

local C = require("bpflua.cfunctions")

local M = {}

-- The same error is told again after so many seconds.
local QUIET_SECONDS = 10
-- How often it is told how many there were.
local COUNT_SECONDS = 1

local Repeats = {}
Repeats.__index = Repeats

---@param say fun(text: string)
function M.new(say)
    return setmetatable({ say = say, known = {}, untold = 0 }, Repeats)
end

---Tells an error, or counts it.
---@param report string
function Repeats:tell(report)
    local now = C.clock_now()
    local known = self.known[report]
    if known and now - known.at < QUIET_SECONDS then
        self.untold = self.untold + 1
        self.count_at = self.count_at or now + COUNT_SECONDS
        return
    end
    self.known[report] = { at = now }
    self.say(report)
end

---Tells how often errors repeated, when it is time.
function Repeats:tell_repeats()
    local now = self.count_at and C.clock_now()
    if now and now >= self.count_at then
        self.say(("… the same error %d %s more\n"):format(self.untold, self.untold == 1 and "time" or "times"))
        self.untold, self.count_at = 0, nil
        for report, known in pairs(self.known) do
            if now - known.at >= QUIET_SECONDS then
                self.known[report] = nil
            end
        end
    end
end

---When there is something to tell.
---@return number? seconds of the monotonic clock
function Repeats:deadline()
    return self.count_at
end

return M
