-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What was seen of late, by a key: so much of it that memory has an end.

local M = {}

---@class Recent
local Recent = {}
Recent.__index = Recent

---A memory that keeps the last `most` values at least, and twice as many at most.
---@param most integer
---@return Recent
function M.new(most)
    return setmetatable({ _most = most, _young = {}, _old = {}, _count = 0 }, Recent)
end

---Remembers a value.
function Recent:put(key, value)
    if self._count >= self._most then
        self._young, self._old, self._count = {}, self._young, 0
    end
    self._young[key], self._count = value, self._count + 1
end

---The value of a key, if it is remembered.
function Recent:get(key)
    local value = self._young[key]
    if value == nil then
        value = self._old[key]
    end
    return value
end

---The value of a key, which is forgotten.
function Recent:take(key)
    local value = self:get(key)
    self._young[key], self._old[key] = nil, nil
    return value
end

return M
