-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Integers of 128 bits as text. LuaJIT has none: they come as a struct of two halves, `lo` and `hi`.

local bit = require("bit")
local ffi = require("ffi")

local M = {}

local u64 = ffi.typeof("uint64_t")
-- Digits that one division takes off: what is left over of it, times 2^32, fits 64 bits.
local CHUNK, CHUNK_DIGITS = 1000000000ULL, 9

-- The 32-bit pieces of a number, the highest first.
local function pieces_of(low, high)
    return {
        bit.rshift(high, 32), bit.band(high, 0xffffffffULL),
        bit.rshift(low, 32), bit.band(low, 0xffffffffULL),
    }
end

-- Divides the pieces where they are; what is left over.
local function divide(pieces)
    local rest = 0ULL
    for i, piece in ipairs(pieces) do
        local whole = bit.bor(bit.lshift(rest, 32), piece)
        pieces[i], rest = whole / CHUNK, whole % CHUNK
    end
    return tonumber(rest)
end

local function is_zero(pieces)
    return pieces[1] == 0 and pieces[2] == 0 and pieces[3] == 0 and pieces[4] == 0
end

---The decimal digits of a number.
---@param value ffi.cdata* with the members `lo` and `hi`
---@param signed? boolean
---@return string
function M.decimal(value, signed)
    local low, high = ffi.cast(u64, value.lo), ffi.cast(u64, value.hi)
    local is_negative = signed and bit.rshift(high, 63) == 1
    if is_negative then
        low, high = bit.bnot(low) + 1, bit.bnot(high) + (low == 0 and 1 or 0)
    end
    local pieces, text = pieces_of(low, high), ""
    repeat
        text = ("%0" .. CHUNK_DIGITS .. "d"):format(divide(pieces)) .. text
    until is_zero(pieces)
    return (is_negative and "-" or "") .. text:gsub("^0+(%d)", "%1")
end

---The bits of a number as hexadecimal digits: `0x10`.
---@param value ffi.cdata* with the members `lo` and `hi`
---@return string
function M.hexadecimal(value)
    local low, high = ffi.cast(u64, value.lo), ffi.cast(u64, value.hi)
    return high == 0 and ("0x%x"):format(low) or ("0x%x%016x"):format(high, low)
end

local i64 = ffi.typeof("int64_t")

-- The halves of a number of any kind, the upper one with a sign; nothing for what is no whole number.
local function halves(value)
    if type(value) == "number" then
        if value % 1 ~= 0 or value < -2 ^ 63 or value >= 2 ^ 64 then
            return nil
        end
        return ffi.cast(u64, value < 0 and ffi.cast(i64, value) or value), value < 0 and -1LL or 0LL
    elseif ffi.istype(u64, value) then
        return value, 0LL
    elseif ffi.istype(i64, value) then
        return ffi.cast(u64, value), value < 0 and -1LL or 0LL
    end
    local ok, low, high = pcall(function() return value.lo, value.hi end)
    if ok and type(value) == "cdata" and ffi.sizeof(value) == 16 then
        -- An unsigned one of 2^127 and above is greater than any that has a sign.
        return low, high, ffi.istype(u64, high)
    end
end

-- Below zero, zero or above; nil when one is no whole number.
local function compare(a, b)
    local a_low, a_high, a_unsigned = halves(a)
    local b_low, b_high, b_unsigned = halves(b)
    if not a_low or not b_low then
        return nil
    end
    local a_negative, b_negative = not a_unsigned and a_high < 0, not b_unsigned and b_high < 0
    if a_negative ~= b_negative then
        return a_negative and -1 or 1
    end
    a_high, b_high = ffi.cast(u64, a_high), ffi.cast(u64, b_high)
    if a_high ~= b_high then
        return a_high < b_high and -1 or 1
    end
    return a_low == b_low and 0 or a_low < b_low and -1 or 1
end

---What numbers of 128 bits answer: their digits as text, comparisons by value.
---@param signed? boolean
---@return table
function M.metatype(signed)
    return {
        __tostring = function(value) return M.decimal(value, signed) end,
        __eq = function(a, b) return compare(a, b) == 0 end,
        __lt = function(a, b) return compare(a, b) == -1 end,
        __le = function(a, b)
            local order = compare(a, b)
            return order == -1 or order == 0
        end,
    }
end

return M
