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

return M
