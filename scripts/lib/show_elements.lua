-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Which elements of a map are shown, and in which order: those that count most, or those that come first by what a person
-- chose.

local ffi = require("ffi")

local M = {}

---A key as something to find it by: its bytes, or what it is.
---@param key any
---@return string|number
function M.id(key)
    if type(key) ~= "cdata" then
        return key
    elseif tonumber(key) or tostring(ffi.typeof(key)):find("%*>$") then
        return tostring(key)
    end
    return ffi.string(ffi.cast("const char *", key), ffi.sizeof(key))
end

---What an element is sorted by, as a number; nil where there is no order.
---@param map bpflua.Map
---@param value any
---@return number?
function M.weight(map, value)
    if map.per_cpu then
        local ok, sum = pcall(value.sum, value)
        value = ok and sum or nil
    end
    return tonumber(value)
end

local function is_zero(map, value)
    local number = M.weight(map, value)
    if number then
        return number == 0
    end
    local ok, size = pcall(ffi.sizeof, value)
    return ok and type(value) == "cdata" and ffi.string(value, size):find("[^%z]") == nil
end

-- Sorts the elements by their ranks, else as they came. Those that have none come last.
local function order(elements, is_up)
    table.sort(elements, function(a, b)
        local first, second = a.rank, b.rank
        if first ~= nil and second ~= nil and first ~= second then
            if is_up then
                return first < second
            end
            return first > second
        elseif (first == nil) ~= (second == nil) then
            return second == nil
        end
        return a.at < b.at
    end)
end

local function trim(elements, most, is_up)
    order(elements, is_up)
    for i = #elements, most + 1, -1 do
        elements[i] = nil
    end
end

-- A number that is none is in no order.
local function comparable(rank)
    return rank == rank and rank or nil
end

---@class ShowElement
---@field key any
---@field value any
---@field rank? number|string
---@field at integer its place in the map

---The first elements of a map, at most so many of them, without reading all into memory.
---@param map bpflua.Map
---@param most integer
---@param sort? {rank: (fun(element: ShowElement): number|string|nil), is_up: boolean} default: those that count most come
---first, of an array as they stand
---@return ShowElement[]
---@return integer count of all elements, of an array those that are not zero
---@return integer zeros elements of an array that are zero
function M.top(map, most, sort)
    local elements, count, zeros, at = {}, 0, 0, 0
    local is_up = sort ~= nil and sort.is_up
    for key, value in map:pairs() do
        at = at + 1
        if map.is_array and is_zero(map, value) then
            zeros = zeros + 1
        else
            count = count + 1
            local element = { key = key, value = value, at = at }
            if sort then
                element.rank = comparable(sort.rank(element))
            elseif not map.is_array then
                element.rank = comparable(M.weight(map, value))
            end
            elements[#elements + 1] = element
            if #elements > 2 * most + 16 then
                trim(elements, most, is_up)
            end
        end
    end
    trim(elements, most, is_up)
    return elements, count, zeros
end

return M
