-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Keys and values of maps as text and back, in the form of bcc's `key_sprintf`: `{ 0x1 [ 0x2 0x3 ] "text" }`.

local ffi = require("ffi")
local contract = require("bpflua.contract")
local errors = require("bpflua.errors")
local int128 = require("bpflua.int128")
local posix = require("bpflua.posix")
local types = require("bpflua.types")

local M = {}

-- ---------------------------------------------------------------- to text

local text_at

-- What has a size and no more is read byte by byte.
local BYTE = { decl = "uint8_t", name = "u8", kind = "int", size = 1 }

local function number_text(value, size)
    if type(value) == "boolean" then
        value = value and 1 or 0
    end
    if size < 8 then
        return ("0x%x"):format(tonumber(value) % 2 ^ (8 * size))
    end
    -- LuaJIT's format knows a `uint64_t`, and no `unsigned long long`.
    return ("0x%x"):format(ffi.cast("uint64_t", type(value) == "number" and ffi.cast("int64_t", value) or value))
end

local function list_text(ctype, address)
    local element, pieces = types.of(ctype.element), { "[" }
    for i = 0, ctype.count - 1 do
        pieces[#pieces + 1] = text_at(element, ffi.cast("const uint8_t *", address) + i * element.size)
    end
    pieces[#pieces + 1] = "]"
    return table.concat(pieces, " ")
end

-- Members with names, each at its place; of a union the first, as its others lie on top of it.
local function struct_text(ctype, address)
    local pieces = { "{" }
    for i, field in ipairs(ctype.fields) do
        if ctype.kind == "struct" or i == 1 then
            local place = ffi.cast("const uint8_t *", address) + field.offset
            local bits = field.bits and types.read_member(address, field)
            pieces[#pieces + 1] = bits and number_text(bits, field.type.size) or text_at(types.of(field.type), place)
        end
    end
    pieces[#pieces + 1] = "}"
    return table.concat(pieces, " ")
end

function text_at(ctype, address)
    if ctype.fields then
        return struct_text(ctype, address)
    elseif ctype.kind == "array" and ctype.text then
        local text = ctype:load(ffi.cast(ctype.pointer, address), 0)
        return '"' .. text .. '"'
    elseif ctype.kind == "array" then
        return list_text(ctype, address)
    end
    local value = ctype:load(ffi.cast(ctype.pointer, address), 0)
    if ctype.kind == "float" then
        return ("%.17g"):format(value)
    elseif ctype.kind == "int128" then
        return int128.hexadecimal(value)
    elseif ctype.kind == "bytes" then
        return list_text({ element = BYTE, count = ctype.size }, address)
    end
    return number_text(value, ctype.size)
end

-- ---------------------------------------------------------------- from text

local Reader = {}
Reader.__index = Reader

function Reader:fail(wanted)
    errors.fail({
        what = ("cannot read a %s of map `%s` from %q"):format(self.part, self.map, self.text),
        why = ("%s is expected at character %d"):format(wanted, self.at),
    })
end

function Reader:token(pattern, wanted)
    local token, after = self.text:match("^%s*(" .. pattern .. ")()", self.at)
    if not token then
        self:fail(wanted)
    end
    self.at = after
    return token
end

-- A number of so many bits. Those below zero were written as what their bits are without a sign.
function Reader:number(signed, bits)
    local from = self.at
    local sign, digits = self:token("[+-]?%w+", "a number"):match("^([+-]?)(.*)$")
    local value = digits:find("^%d") and posix._parse64(digits, 0)
    local most = sign == "-" and bit.lshift(1ULL, bits - 1) or bit.rshift(-1ULL, 64 - bits)
    if not value or value > most or sign == "-" and not signed then
        self.at = from
        self:fail(value and ("a number of %d bits"):format(bits) or "a number")
    elseif sign == "-" then
        value = -ffi.cast("int64_t", value)
    elseif signed then
        value = bit.arshift(ffi.cast("int64_t", bit.lshift(value, 64 - bits)), 64 - bits)
    end
    return bits <= 32 and tonumber(value) or value
end

-- Up to 128 bits in hexadecimal digits; as text they are not signed.
function Reader:wide(target)
    local digits = self:token("0[xX]%x+", "a hexadecimal number"):sub(3)
    if #digits > 32 then
        self:fail("a number of 128 bits")
    end
    local high = #digits > 16 and digits:sub(1, -17) or "0"
    target[0].lo, target[0].hi = posix._parse64(digits:sub(-16), 16), posix._parse64(high, 16)
end

-- The value of what is neither struct nor list nor text; nil when it is where it belongs already.
function Reader:scalar(ctype, target)
    if ctype.kind == "int128" then
        return self:wide(target)
    elseif ctype.kind == "float" then
        local number = tonumber(self:token("[+-]?[%w.+-]+", "a number"))
        return number or self:fail("a number")
    elseif ctype.kind == "bytes" then
        return self:list({ element = BYTE, count = ctype.size }, target)
    end
    local value = self:number(ctype.signed or ctype.kind == "char", ctype.size * 8)
    if ctype.kind == "bool" and (value == 0 or value == 1) then
        return value == 1
    elseif ctype.kind == "pointer" then
        return ffi.cast("uint64_t", value)
    end
    return value
end

local read_into

function Reader:list(ctype, address)
    local element = types.of(ctype.element)
    self:token("%[", "`[`")
    for i = 0, ctype.count - 1 do
        read_into(self, element, ffi.cast("uint8_t *", address) + i * element.size)
    end
    self:token("%]", "`]`")
end

function Reader:struct(ctype, address)
    self:token("{", "`{`")
    local value = ffi.cast(ffi.typeof("$ *", ctype.ctype), address)
    for i, field in ipairs(ctype.fields) do
        if field.bits and ctype.kind == "struct" then
            types.store_member(value, field, self:number(types.is_signed(field.type), field.type.size * 8), ("%s of `%s`"):format(self.part, self.map))
        elseif ctype.kind == "struct" or i == 1 then
            read_into(self, types.of(field.type), ffi.cast("uint8_t *", address) + field.offset)
        end
    end
    self:token("}", "`}`")
end

function read_into(reader, ctype, address)
    if ctype.fields then
        return reader:struct(ctype, address)
    elseif ctype.kind == "array" and not ctype.text then
        return reader:list(ctype, address)
    end
    local target, value = ffi.cast(ffi.typeof("$ *", ctype.ctype), address), nil
    if ctype.text then
        value = reader:token('"[^"]*"', "a text in quotes"):sub(2, -2)
    else
        value = reader:scalar(ctype, target)
        if value == nil then
            return
        end
    end
    ctype:store(target, 0, value, reader.part .. " of `" .. reader.map .. "`")
end

-- ---------------------------------------------------------------- methods

local function type_of(map, part)
    local ctype = part == "key" and map.key_type or map.value_type
    if not ctype then
        errors.fail({ what = ("cannot write a %s of map `%s`"):format(part, map.name), why = ("a map of type %s has none"):format(map.kind) })
    end
    return ctype
end

local function to_text(map, part, value)
    local ctype = type_of(map, part)
    local cell = ctype:cell()
    ctype:store(cell, 0, contract.value_of(ctype, value), part .. " of `" .. map.name .. "`")
    return text_at(ctype, cell)
end

local function from_text(map, part, text)
    local ctype = type_of(map, part)
    if type(text) ~= "string" then
        errors.fail({ what = ("cannot read a %s of map `%s`"):format(part, map.name), why = "a text is needed, not a " .. errors.type_name(text) })
    end
    local cell, reader = ctype:cell(), setmetatable({ text = text, at = 1, part = part, map = map.name }, Reader)
    read_into(reader, ctype, cell)
    if text:find("%S", reader.at) then
        reader:fail("the end")
    end
    return ctype:load(cell, 0)
end

---A key as text: numbers in hexadecimal, structs in braces, arrays in brackets, `char[N]` in quotes.
---@param key any as `set` takes it; or what initialises an array of one such key, `{{1, 2}}`
---@return string
function M:key_sprintf(key)
    return to_text(self, "key", key)
end

---A value as text.
---@param leaf any as `set` takes it
---@return string
function M:leaf_sprintf(leaf)
    return to_text(self, "value", leaf)
end

---A key from the text that `key_sprintf` makes.
---@param text string the text of a key
---@return any
function M:key_scanf(text)
    return from_text(self, "key", text)
end

---A value from the text that `leaf_sprintf` makes.
---@param text string the text of a value
---@return any
function M:leaf_scanf(text)
    return from_text(self, "value", text)
end

return M
