-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Lua values on their way into C types. What does not fit is an error, and the target stays as it was.

local bit = require("bit")
local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")

local M = {}

local i64, u64 = ffi.typeof("int64_t"), ffi.typeof("uint64_t")

-- `types.lua`, whose values these are.
local types

---Makes the types known.
---@param all table the module `types`
function M.install(all)
    types = all
end

-- A text is shown up to so many bytes.
local MOST_SHOWN = 60

---A value as an error shows it: by itself where that tells something.
---@param value any
---@return string
function M.shown(value)
    if type(value) == "string" then
        return #value > MOST_SHOWN and ("%q…"):format(value:sub(1, MOST_SHOWN)) or ("%q"):format(value)
    elseif type(value) == "number" or type(value) == "boolean" or value == nil then
        return tostring(value)
    elseif type(value) == "cdata" and tonumber(value) then
        return format.text(value)
    end
    return "a " .. types.name_of_value(value)
end

local function misfit(self, what, value, why)
    errors.fail({
        what = ("%s does not take %s"):format(what, M.shown(value)),
        why = why or ("it is a `%s`, and this is a %s"):format(self.name, types.name_of_value(value)),
    })
end

local function is_integer_cdata(value)
    return type(value) == "cdata" and (ffi.istype(u64, value) or ffi.istype(i64, value))
end

local function store_small_integer(self, array, index, value, what)
    if is_integer_cdata(value) then
        local number = tonumber(value)
        if (ffi.istype(i64, value) or value < 0x8000000000000000ULL) and number >= self.min and number <= self.max then
            array[index] = number
            return
        end
    elseif type(value) == "number" and value >= self.min and value <= self.max and value % 1 == 0 then
        array[index] = value
        return
    elseif type(value) ~= "number" then
        misfit(self, what, value)
    end
    misfit(self, what, value, ("a `%s` holds whole numbers from %.0f to %.0f"):format(self.name, self.min, self.max))
end

-- Whether a 64-bit integer has its other sign in the type: below zero in an unsigned one, from 2^63 on in a signed one.
local function changes_sign(self, value)
    if ffi.istype(i64, value) then
        return self.min == 0 and value < 0
    end
    return self.min < 0 and value >= 0x8000000000000000ULL
end

local function wide_misfit(self, what, value)
    local range = self.min == 0 and "from 0 to 18446744073709551615" or "from -9223372036854775808 to 9223372036854775807"
    misfit(self, what, value, ("a `%s` holds whole numbers %s"):format(self.name, range))
end

local function store_wide_integer(self, array, index, value, what)
    if is_integer_cdata(value) then
        if changes_sign(self, value) then
            wide_misfit(self, what, value)
        end
        array[index] = ffi.cast(self.ctype, value)
    elseif type(value) == "number" then
        if value % 1 ~= 0 or value < self.min or value > self.max then
            wide_misfit(self, what, value)
        end
        -- From 2^63 on, a double must not go by way of a signed integer.
        array[index] = ffi.cast(self.ctype, value >= 2 ^ 63 and ffi.cast(u64, value - 2 ^ 63) + 0x8000000000000000ULL or value)
    elseif self.kind == "pointer" and type(value) == "cdata" and pcall(ffi.cast, "uintptr_t", value) then
        array[index] = ffi.cast(self.ctype, value)
    else
        misfit(self, what, value)
    end
end

local function store_integer(self, array, index, value, what)
    if type(value) == "string" and self.values then
        if not self.values[value] then
            errors.unknown(("%s does not take %q"):format(what, value), value, self.values, ("names of `%s`"):format(self.name))
        end
        value = self.values[value]
    elseif type(value) == "cdata" and not is_integer_cdata(value) then
        -- An `int` or an enum of the FFI's; a struct or a pointer stays what it is.
        value = tonumber(value) or value
    end
    local store = self.size == 8 and store_wide_integer or store_small_integer
    store(self, array, index, value, what)
end

local function store_text(self, array, index, text, what)
    if #text > self.size then
        misfit(self, what, text, ("a `%s` holds %d bytes, and this has %d"):format(self.name, self.size, #text))
    end
    ffi.fill(array + index, self.size)
    ffi.copy(array + index, text, #text)
end

local function store_list(self, array, index, list, what)
    if #list > self.count then
        misfit(self, what, list, ("a `%s` has %d elements, and this has %d"):format(self.name, self.count, #list))
    end
    for i in pairs(list) do
        if type(i) ~= "number" or i < 1 or i > #list or i % 1 ~= 0 then
            misfit(self, what, list, ("a list has the keys 1 to %d, and this has `%s`"):format(self.count, tostring(i)))
        end
    end
    -- Built aside: an element that does not fit leaves the target as it was.
    local built, element = ffi.new(self.ctype), types.of(self.element)
    local target = ffi.cast(ffi.typeof("$ *", element.ctype), built)
    for i, value in ipairs(list) do
        element:store(target, i - 1, value, ("%s[%d]"):format(what, i))
    end
    ffi.copy(array + index, built, self.size)
end

-- Puts a bit-field's value among the bits around it.
local function write_bits(base, field, value)
    local bytes = ffi.cast("uint8_t *", base) + field.offset
    value = ffi.cast(u64, type(value) == "number" and value < 2 ^ 63 and ffi.cast(i64, value) or value)
    for i = 0, field.bits - 1 do
        local at, bit_at = math.floor((field.bit + i) / 8), (field.bit + i) % 8
        local mask = bit.lshift(1, bit_at)
        local is_set = bit.band(bit.rshift(value, i), 1ULL) ~= 0ULL
        bytes[at] = is_set and bit.bor(bytes[at], mask) or bit.band(bytes[at], bit.bnot(mask))
    end
end

-- Whether so many bits hold a whole number. In 64 bits, as a Lua number would round it.
local function fits_bits(value, bits, signed)
    if type(value) == "number" then
        local least, most = signed and -(2 ^ (bits - 1)) or 0, 2 ^ (signed and bits - 1 or bits)
        return value % 1 == 0 and value >= least and value < most
    elseif ffi.istype(u64, value) then
        local rest = signed and bits - 1 or bits
        return rest == 64 or bit.rshift(value, rest) == 0
    end
    local above = bit.arshift(value, signed and bits - 1 or math.min(bits, 63))
    return above == 0 or signed and above == -1
end

---Sets a bit-field of a struct at an address; raises when the value does not fit.
---@param base ffi.cdata* the struct's address
---@param field table of `Type:members()`, with `bits`
---@param value any
---@param what string the place, for the error
function M.store_bits(base, field, value, what)
    local signed, bits = types.is_signed(field.type), field.bits
    if type(value) == "boolean" and field.type.kind == "bool" then
        value = value and 1 or 0
    elseif type(value) == "string" and field.type.values and field.type.values[value] then
        value = field.type.values[value]
    end
    if type(value) ~= "number" and not is_integer_cdata(value) then
        misfit(types.of(field.type), what, value)
    elseif not fits_bits(value, bits, signed) then
        local range = signed and ("from -2^%d to 2^%d - 1"):format(bits - 1, bits - 1) or ("from 0 to 2^%d - 1"):format(bits)
        misfit(types.of(field.type), what, value, ("a bit-field of %d bits holds whole numbers %s"):format(bits, range))
    end
    write_bits(base, field, value)
end

local function store_members(self, array, index, members, what)
    local names = self:fields_by_name()
    for name in pairs(members) do
        if not names[name] then
            errors.unknown(("`%s` has no member `%s`"):format(self.name, tostring(name)), name, names, "members")
        end
    end
    if self.kind == "union" and next(members, (next(members))) ~= nil then
        misfit(self, what, members, ("a value of `%s` has one of its members"):format(self.name))
    end
    -- Built aside: a value that does not fit leaves the target as it was.
    local built = self.ctype()
    local base = ffi.cast("uint8_t *", built)
    for name, value in pairs(members) do
        local field = names[name]
        if field.bits then
            M.store_bits(base, field, value, ("%s.%s"):format(what, name))
        else
            local member = types.of(field.type)
            local place = ffi.cast(ffi.typeof("$ *", member.ctype), base + field.offset)
            member:store(place, 0, value, ("%s.%s"):format(what, name))
        end
    end
    array[index] = built
end

-- What is larger than a Lua number or 64 bits comes as it came out: as the type itself.
local function store_int128(self, array, index, value, what)
    local is_whole = type(value) ~= "number" or value % 1 == 0 and math.abs(value) <= 2 ^ 63
    if not is_whole or value < 0 and not self.signed then
        misfit(self, what, value, ("a `%s` holds whole numbers; here up to 64 bits of them"):format(self.name))
    end
    local low = type(value) == "number" and value < 2 ^ 63 and ffi.cast(i64, value) or value
    array[index] = { lo = ffi.cast(u64, low), hi = value < 0 and -1 or 0 }
end

-- The two halves of 128 bits, as `lo` and `hi`.
local function store_halves(self, array, index, halves, what)
    for name in pairs(halves) do
        if name ~= "lo" and name ~= "hi" then
            misfit(self, what, halves, ("its halves are `lo` and `hi`; there is no `%s`"):format(tostring(name)))
        end
    end
    local built = self.ctype()
    for _, name in ipairs({ "lo", "hi" }) do
        local half = halves[name] or 0
        local fits = is_integer_cdata(half) or type(half) == "number" and half % 1 == 0 and math.abs(half) <= 2 ^ 53
        if not fits or half < 0 and (name == "lo" or not self.signed) and type(half) == "number" then
            misfit(self, ("%s.%s"):format(what, name), half, "a half is a whole number of 64 bits")
        end
        built[name] = type(half) == "number" and ffi.cast(i64, half) or half
    end
    array[index] = built
end

---Writes a Lua value into an array of this type, or raises when it does not fit; then nothing is written.
---@param self bpflua.Type
---@param array ffi.cdata* array of, or pointer to, this type
---@param index integer
---@param value any
---@param what string the place, for the error: "key of `counts`"
function M.store(self, array, index, value, what)
    local kind = self.kind
    if type(value) == "cdata" and ffi.istype(self.ctype, value) then
        if kind == "array" then
            ffi.copy(array + index, value, self.size)
        else
            array[index] = value
        end
    elseif kind == "int" or kind == "enum" or kind == "pointer" or kind == "char" then
        store_integer(self, array, index, value, what)
    elseif kind == "bool" and (type(value) == "boolean" or value == 0 or value == 1) then
        array[index] = value == true or value == 1
    elseif kind == "float" and (type(value) == "number" or type(value) == "cdata" and tonumber(value)) then
        array[index] = tonumber(value)
    elseif kind == "array" and self.text and type(value) == "string" then
        store_text(self, array, index, value, what)
    elseif kind == "array" and type(value) == "table" then
        store_list(self, array, index, value, what)
    elseif (kind == "struct" or kind == "union") and type(value) == "table" then
        store_members(self, array, index, value, what)
    elseif kind == "int128" and (type(value) == "number" or is_integer_cdata(value)) then
        store_int128(self, array, index, value, what)
    elseif kind == "int128" and type(value) == "table" then
        store_halves(self, array, index, value, what)
    else
        misfit(self, what, value)
    end
end

return M
