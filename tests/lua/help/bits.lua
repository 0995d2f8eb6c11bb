-- SPDX-License-Identifier: Apache-2.0
-- Bit fields as the System V ABI lays them out on a little-endian machine, and as they stand on the wire: the truth that
-- tests compare with.

local ffi = require("ffi")

local M = {}

---Numbers that are the same in every run, and of every size.
---@param seed integer
function M.generator(seed)
    local state = ffi.cast("uint64_t", seed)
    return function(limit)
        state = state * 6364136223846793005ULL + 1442695040888963407ULL
        return tonumber(bit.rshift(state, 33) % ffi.cast("uint64_t", limit))
    end
end

---A string of bytes that may stand in a file's name.
function M.bytes(random, count)
    local found = {}
    for i = 1, count do
        local byte
        repeat
            byte = 1 + random(255)
        until byte ~= 47
        found[i] = string.char(byte)
    end
    return table.concat(found)
end

local SIZES = { 8, 16, 32, 64 }

---Fields of all types and widths, in an order of their own. Each is `{ name, type, bits of the type, width, signed }`.
function M.fields(random, count)
    local fields = {}
    for i = 1, count do
        local size = SIZES[1 + random(4)]
        local signed = random(2) == 1
        local width = 1 + random(size)
        -- Every other wide one is wider than a word.
        if size == 64 and random(2) == 1 then
            width = 33 + random(31)
        end
        fields[i] = { name = "f" .. i, type = (signed and "s" or "u") .. size, size = size, width = width, signed = signed }
    end
    return fields
end

---The declarations of fields in C.
function M.declared(fields)
    local lines = {}
    for i, field in ipairs(fields) do
        lines[i] = ("%s %s : %d;"):format(field.type, field.name, field.width)
    end
    return table.concat(lines, " ")
end

---The bit at which each field begins; unless packed, none crosses a unit of its type. Also how many bits there are.
function M.places(fields, packed)
    local at, places = 0, {}
    for i, field in ipairs(fields) do
        if not packed and at % field.size + field.width > field.size then
            at = math.ceil(at / field.size) * field.size
        end
        places[i] = at
        at = at + field.width
    end
    return places, at
end

local function extended(value, width, signed)
    if signed and width < 64 and bit.band(bit.rshift(value, width - 1), 1ULL) == 1 then
        value = bit.bor(value, bit.lshift(-1ULL, width))
    end
    return value
end

---The value of a field in memory: `place` counts bits from the lowest of the first byte.
function M.in_memory(bytes, place, width, signed)
    local value = 0ULL
    for i = 0, width - 1 do
        local at = place + i
        local one = bit.band(bit.rshift(bytes:byte(math.floor(at / 8) + 1), at % 8), 1)
        value = bit.bor(value, bit.lshift(ffi.cast("uint64_t", one), i))
    end
    return extended(value, width, signed)
end

---The value of a field on the wire: `place` counts bits from the highest of the first byte.
function M.on_wire(bytes, place, width, signed)
    local value = 0ULL
    for i = 0, width - 1 do
        local at = place + i
        local one = bit.band(bit.rshift(bytes:byte(math.floor(at / 8) + 1), 7 - at % 8), 1)
        value = bit.bor(bit.lshift(value, 1), ffi.cast("uint64_t", one))
    end
    return extended(value, width, signed)
end

return M
