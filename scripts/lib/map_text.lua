-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Keys and values of maps as text and back, in the form of bcc's `key_sprintf`: `{ 0x1 [ 0x2 0x3 ] "text" }`.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local types = require("bpflua.types")

local M = {}

-- ---------------------------------------------------------------- to text

local text_at

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
            pieces[#pieces + 1] = bits and ("0x%x"):format(bits) or text_at(types.of(field.type), place)
        end
    end
    pieces[#pieces + 1] = "}"
    return table.concat(pieces, " ")
end

function text_at(ctype, address)
    if ctype.fields then
        return struct_text(ctype, address)
    elseif ctype.kind == "array" and ctype.text then
        local text = ctype:load(ffi.cast(ffi.typeof("const $ *", ctype.ctype), address), 0)
        return '"' .. text .. '"'
    elseif ctype.kind == "array" then
        return list_text(ctype, address)
    end
    local value = ctype:load(ffi.cast(ffi.typeof("const $ *", ctype.ctype), address), 0)
    if ctype.kind == "bool" then
        value = value and 1 or 0
    elseif ctype.kind == "pointer" then
        value = ffi.cast("uintptr_t", value)
    elseif ctype.size < 8 then
        value = tonumber(value) % 2 ^ (8 * ctype.size)
    else
        -- LuaJIT's format knows a `uint64_t`, and no `unsigned long long`.
        value = ffi.cast("uint64_t", value)
    end
    return ("0x%x"):format(value)
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
            value[0][field.name] = tonumber(self:token("[+-]?%w+", "a number"))
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
        local digits = reader:token("[+-]?%w+", "a number")
        value = tonumber(digits) and require("bpflua.posix").tonumber64(digits, 0)
        if not value then
            reader:fail("a number")
        end
        -- Numbers below zero were written as what their bits are without a sign.
        value = ffi.cast(ctype.kind == "bool" and "bool" or ctype.ctype, value)
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

-- bcc-lua's scripts give what initialises an array of one: `{{1, 2}}`. Ours give a value as `set` takes it.
local function to_text(map, part, value)
    local ctype = type_of(map, part)
    local cell
    if type(value) == "table" and value[1] ~= nil then
        local ok, made = pcall(ffi.new, ffi.typeof("$[1]", ctype.ctype), value)
        if not ok then
            errors.fail({ what = ("this is no %s of map `%s`"):format(part, map.name), why = format.text(made) })
        end
        cell = made
    else
        cell = ctype:cell()
        ctype:store(cell, 0, value, part .. " of `" .. map.name .. "`")
    end
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
---@param leaf any
---@return string
function M:leaf_sprintf(leaf)
    return to_text(self, "value", leaf)
end

---A key from the text that `key_sprintf` makes.
---@param text string
---@return any
function M:key_scanf(text)
    return from_text(self, "key", text)
end

---A value from the text that `leaf_sprintf` makes.
---@param text string
---@return any
function M:leaf_scanf(text)
    return from_text(self, "value", text)
end

return M
