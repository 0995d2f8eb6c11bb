-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Numbers with the units that their names tell: a member `delta_us` is shown as `1.2 ms`, a member `bytes` as `4 KiB`.

local format = require("bpflua.format")

local M = {}

-- Nanoseconds in one of each.
local DURATIONS = {
    ns = 1, nsec = 1, nsecs = 1, nanoseconds = 1,
    us = 1e3, usec = 1e3, usecs = 1e3, microseconds = 1e3,
    ms = 1e6, msec = 1e6, msecs = 1e6, milliseconds = 1e6,
    sec = 1e9, secs = 1e9, seconds = 1e9,
}
local BYTES = { bytes = true, nbytes = true }

-- Names of points in time, not of durations: their digits are what one compares.
local INSTANTS = { "^ts", "_ts", "time", "stamp", "start", "begin", "^end", "_end", "since", "now" }

local function is_instant(name)
    for _, pattern in ipairs(INSTANTS) do
        if name:find(pattern) then
            return true
        end
    end
    return false
end

---The unit that a name tells: the last word of `delta_us`, the whole of `bytes`.
---@param name any of a member or a map
---@return string? unit
function M.of_name(name)
    if type(name) ~= "string" then
        return nil
    end
    name = name:lower()
    local word = name:match("_(%a+)$") or name
    if BYTES[word] or DURATIONS[word] and not is_instant(name) then
        return word
    end
end

---Whether a text is a unit that values are shown in: `ns`, `us`, `ms`, `bytes` …
---@param unit string
---@return boolean
function M.is_known(unit)
    return BYTES[unit] or DURATIONS[unit] ~= nil
end

-- Three digits that count, without zeros behind the point.
local function three_digits(number)
    local decimals = number >= 100 and 0 or number >= 10 and 1 or 2
    local text = ("%." .. decimals .. "f"):format(number)
    return text:find(".", 1, true) and (text:gsub("0+$", ""):gsub("%.$", "")) or text
end

---A duration as people read it: `850 ns`, `1.25 ms`, `3m 12s`.
---@param ns number nanoseconds
---@return string
function M.duration(ns)
    local size = math.abs(ns)
    if size == 0 then
        return "0"
    elseif size < 999.5 then
        return three_digits(ns) .. " ns"
    elseif size < 999.5e3 then
        return three_digits(ns / 1e3) .. " us"
    elseif size < 999.5e6 then
        return three_digits(ns / 1e6) .. " ms"
    elseif size < 60e9 then
        return three_digits(ns / 1e9) .. " s"
    end
    local sign, seconds = ns < 0 and "-" or "", math.floor(size / 1e9)
    if seconds < 3600 then
        return ("%s%dm %02ds"):format(sign, seconds / 60, seconds % 60)
    elseif seconds < 86400 then
        return ("%s%dh %02dm"):format(sign, seconds / 3600, seconds % 3600 / 60)
    end
    return ("%s%.0fd %02dh"):format(sign, math.floor(seconds / 86400), seconds % 86400 / 3600)
end

local PREFIXES = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" }

---An amount of memory or data as people read it: `512 B`, `4 KiB`, `1.5 GiB`.
---@param bytes number
---@return string
function M.bytes(bytes)
    local size, at = math.abs(bytes), 0
    while size >= 1023.5 and at < #PREFIXES do
        size, at = size / 1024, at + 1
    end
    if at == 0 then
        return ("%.0f B"):format(bytes)
    end
    return (bytes < 0 and "-" or "") .. three_digits(size) .. " " .. PREFIXES[at]
end

---A number in a unit; as it is when the unit is none of those known.
---@param value number|ffi.cdata*
---@param unit string?
---@return string
function M.text(value, unit)
    local number = unit and tonumber(value)
    if not number then
        return format.text(value)
    elseif BYTES[unit] then
        return M.bytes(number)
    elseif DURATIONS[unit] then
        return M.duration(number * DURATIONS[unit])
    end
    return format.text(value) .. " " .. unit
end

return M
