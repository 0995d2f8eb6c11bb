-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- C types of an object: what the host describes becomes an FFI type, checks for values on their way to the kernel,
-- and readable, comparable values on their way back.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local int128 = require("bpflua.int128")
local posix = require("bpflua.posix")
local stores = require("bpflua.stores")
local structs = require("bpflua.structs")

---@class bpflua.Type a C type of the object's
---@field name string as the C text calls it
---@field size integer bytes
---@field kind string int, char, bool, float, enum, pointer, int128, array, struct, union, bytes
---@field ctype ffi.ctype*
---@field pointer ffi.ctype* to a constant one
local Type = {}
Type.__index = Type

local M = { Type = Type }

-- By what tells types apart, so that the same struct is the same FFI type wherever it comes from.
local by_id = {}

local i64, u64 = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
local byte_pointer = ffi.typeof("const uint8_t *")

-- ---------------------------------------------------------------- values out of memory

---Whether numbers of a type may be below zero. A plain `char` has a sign in BPF.
---@param description table a type, or what the host tells of one
---@return boolean
function M.is_signed(description)
    return description.signed or description.kind == "char"
end

-- A bit-field that LuaJIT has no declaration for: up to 64 bits, gathered from its bytes.
local function read_bits(base, field)
    local bytes = ffi.cast(byte_pointer, base) + field.offset
    local value, taken = 0ULL, -field.bit
    for i = 0, math.floor((field.bit + field.bits - 1) / 8) do
        local byte = ffi.cast(u64, bytes[i])
        value = bit.bor(value, taken >= 0 and bit.lshift(byte, taken) or bit.rshift(byte, -taken))
        taken = taken + 8
    end
    local unused = 64 - field.bits
    if M.is_signed(field.type) then
        value = bit.arshift(ffi.cast(i64, bit.lshift(value, unused)), unused)
    else
        value = bit.rshift(bit.lshift(value, unused), unused)
    end
    if field.type.kind == "bool" then
        return value ~= 0
    end
    return field.bits <= 32 and tonumber(value) or value
end

---The value of a member that LuaJIT has no declaration for.
---@param base ffi.cdata* the struct's address
---@param field table of `Type:members()`
---@return any
function M.read_hidden(base, field)
    if field.bits then
        return read_bits(base, field)
    end
    local pointer = ffi.cast(M.of(field.type).pointer, ffi.cast(byte_pointer, base) + field.offset)
    return M.of(field.type):load(pointer, 0)
end

local SCALARS = { int = true, char = true, bool = true, float = true, enum = true, pointer = true }

---A value out of an array of this type: numbers as numbers, 64-bit integers as cdata, structs as copies of their own.
---@param array ffi.cdata* array of, or pointer to, this type
---@param index integer
---@return any
function Type:load(array, index)
    local kind = self.kind
    if SCALARS[kind] then
        return array[index]
    elseif kind == "array" then
        local copy = ffi.new(self.ctype)
        ffi.copy(copy, array + index, self.size)
        return self.text and format.plain(copy) or copy
    end
    return self.ctype(array[index])
end

---A cell to pass to the kernel: an array of one.
---@return ffi.cdata*
function Type:cell()
    return ffi.new(self.array, 1)
end

-- ---------------------------------------------------------------- structs

---The members in order, those of anonymous members included, with their place from the start of this struct.
---@return table[]
function Type:members()
    if self.member_list then
        return self.member_list
    end
    local list = {}
    local function add(fields, base)
        for _, field in ipairs(fields) do
            if field.name == "" and field.type.fields then
                add(field.type.fields, base + field.offset)
            elseif field.name ~= "" then
                list[#list + 1] = setmetatable({ offset = base + field.offset }, { __index = field })
            end
        end
    end
    add(self.fields or {}, 0)
    self.member_list = list
    return list
end

---The members' names in order; nil when this is no struct.
---@return string[]?
function Type:member_names()
    if not self.fields then
        return nil
    end
    local names = {}
    for i, field in ipairs(self:members()) do
        names[i] = field.name
    end
    return names
end

function Type:fields_by_name()
    if not self.field_index then
        self.field_index = {}
        for _, field in ipairs(self:members()) do
            self.field_index[field.name] = field
        end
    end
    return self.field_index
end

-- The names of an enum by its values, as numbers and as digits; the first of those that have one value.
local function names_by_value(self)
    local names = {}
    for _, name in ipairs(self.order) do
        local value = self.values[name]
        local digits = format.text(value)
        if not names[digits] then
            names[digits] = name
            names[type(value) == "number" and value or digits] = name
        end
    end
    return names
end

---The name of an enum's value; nil when it has none.
---@param value number|ffi.cdata*
---@return string?
function Type:name_of(value)
    if not self.values then
        return nil
    end
    self.names = self.names or names_by_value(self)
    return self.names[value] or self.names[format.text(value)]
end

local function quoted(value)
    return type(value) == "string" and ("%q"):format(value) or format.text(value)
end

---The value of a bit-field of a struct at an address.
---@param base ffi.cdata* the struct's address
---@param field table of `Type:members()`, with `bits`
---@return number|boolean|ffi.cdata*
---@return string? name of an enum's value
function M.read_member(base, field)
    local value = read_bits(base, field)
    return value, field.type.values and M.of(field.type):name_of(value) or nil
end

-- The text of one member at its place; structs and arrays in braces.
local function member_text(field, base)
    if field.bits then
        local value, name = M.read_member(base, field)
        return name or format.text(value)
    end
    local member = M.of(field.type)
    return member:text_at(ffi.cast(byte_pointer, base) + field.offset)
end

---The text of a value of this type at an address.
---@param address ffi.cdata*
---@return string
function Type:text_at(address)
    if self.kind == "array" and not self.text then
        local element, pieces = M.of(self.element), {}
        for i = 0, self.count - 1 do
            pieces[i + 1] = element:text_at(ffi.cast(byte_pointer, address) + i * element.size)
        end
        return "{" .. table.concat(pieces, ", ") .. "}"
    elseif self.fields then
        local pieces = {}
        for i, field in ipairs(self:members()) do
            pieces[i] = field.name .. " = " .. member_text(field, address)
        end
        return "{" .. table.concat(pieces, ", ") .. "}"
    end
    local value = self:load(ffi.cast(self.pointer, address), 0)
    if self.kind == "int128" then
        return int128.decimal(value, self.signed)
    elseif self.kind == "bytes" then
        return (ffi.string(value.bytes, self.size):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
    end
    return self:name_of(value) or quoted(value)
end

-- A member's value as Lua has it.
local function member_value(field, base)
    if field.bits then
        return (M.read_member(base, field))
    end
    return M.of(field.type):value_at(ffi.cast(byte_pointer, base) + field.offset)
end

---The value of this type at an address as Lua has it, with nothing left that refers there: structs are tables by member,
---arrays lists from 1, `char[N]` is a string; 64-bit integers and `__int128` are cdata of their own.
---@param address ffi.cdata*
---@return any
function Type:value_at(address)
    local copy = {}
    if self.kind == "array" and not self.text then
        local element = M.of(self.element)
        for i = 1, self.count do
            copy[i] = element:value_at(ffi.cast(byte_pointer, address) + (i - 1) * element.size)
        end
        return copy
    elseif self.fields then
        for _, field in ipairs(self:members()) do
            copy[field.name] = member_value(field, address)
        end
        return copy
    end
    return self:load(ffi.cast(self.pointer, address), 0)
end

---The FFI's type that a C declaration says, or that is given as it is; raises when it is none, or has no size.
---@param of string the function that was given it, for the error
---@param name string the argument's or the option's name
---@param ctype string|ffi.ctype*
---@param params? any[] what `$` and `?` in a declaration stand for
---@return ffi.ctype*
function M.c_type(of, name, ctype, params)
    local made, size, ok = ctype, nil, nil
    if type(ctype) == "string" then
        ok, made = pcall(ffi.typeof, ctype, unpack(params or {}))
    else
        ok = type(ctype) == "cdata" and tostring(ctype):find("^ctype<") ~= nil
    end
    if ok then
        ok, size = pcall(ffi.sizeof, made)
    end
    if not ok or not size or size == 0 then
        local why = type(ctype) == "string" and "this is no C type that the FFI knows" or "it must be a C declaration or what `ffi.typeof` gives"
        errors.fail({ what = ("`%s` of `%s` is %s"):format(name, of, stores.shown(ctype)), why = why })
    end
    return made
end

---What kind of thing a value is, for an error: structs of the C text by their names.
---@param value any
---@return string
function M.name_of_value(value)
    local known = type(value) == "cdata" and structs.type_of(value)
    return known and ("`%s`"):format(known.name) or errors.type_name(value)
end

-- ---------------------------------------------------------------- construction

local function range(self)
    local bits = self.size * 8
    local signed = M.is_signed(self)
    self.min = signed and -(2 ^ (bits - 1)) or 0
    self.max = signed and 2 ^ (bits - 1) - 1 or 2 ^ bits - 1
    if bits == 64 and not signed then
        self.max = 2 ^ 64 - 2048 -- the last double below 2^64
    elseif bits == 64 then
        self.max = 2 ^ 63 - 1024
    end
end

-- Structs without a tag are named after their place, and are types of that place alone.
local function name_members(self, fields)
    for _, field in ipairs(fields) do
        local inner = field.type
        while inner.kind == "array" do
            inner = inner.element
        end
        if field.name == "" and inner.fields then
            name_members(self, inner.fields)
        elseif inner.name == "struct" or inner.name == "union" then
            inner.name = self.name .. "." .. field.name
            inner.id = inner.id and self.id .. "." .. field.name
        end
    end
end

-- What the `$`s in a declaration stand for, in their order: members and elements that are types of their own.
local function add_parts(parts, description)
    if description.kind == "array" then
        local element = description.element
        if element.fields or element.kind == "int128" then
            parts[#parts + 1] = M.of(element).ctype
        else
            add_parts(parts, element)
        end
    end
    for _, field in ipairs(description.fields or {}) do
        local is_part = field.name ~= "" and (field.type.fields or field.type.kind == "int128")
        if is_part and not field.hidden then
            parts[#parts + 1] = M.of(field.type).ctype
        elseif not field.hidden then
            add_parts(parts, field.type)
        end
    end
    return parts
end

local function declare(self)
    name_members(self, self.fields or {})
    local ctype = ffi.typeof(self.decl, unpack(add_parts({}, self)))
    if self.fields then
        ffi.metatype(ctype, structs.metatype(self))
    elseif self.kind == "int128" then
        ffi.metatype(ctype, structs.int128_metatype(self))
    end
    return ctype
end

-- Values that a Lua number may not hold come as their digits.
local function exact_values(values)
    for name, value in pairs(values) do
        if type(value) == "string" then
            local sign, digits = value:match("^(%-?)(%d+)$")
            local number = posix._parse64(digits, 10)
            values[name] = sign == "-" and -ffi.cast(i64, number) or number
        end
    end
end

---The type that the host describes.
---@param description table see `CType::to_table`
---@return bpflua.Type
function M.of(description)
    if getmetatable(description) == Type then
        return description
    elseif description.known then
        return description.known
    end
    -- A typedef is another name of the same type.
    local id = description.id or description.decl
    local named = id .. "\n" .. description.name
    if by_id[named] then
        description.known = by_id[named]
        return description.known
    end
    local self = setmetatable(description, Type)
    if self.values then
        exact_values(self.values)
    end
    local shared = by_id[id]
    self.ctype = shared and shared.ctype or declare(self)
    self.array = ffi.typeof("$[?]", self.ctype)
    self.pointer = ffi.typeof("const $ *", self.ctype)
    self.text = self.kind == "array" and self.element.kind == "char"
    if SCALARS[self.kind] and self.kind ~= "float" and self.kind ~= "bool" then
        range(self)
    end
    by_id[id] = shared or self
    by_id[named] = self
    return self
end

structs.install(M)
stores.install(M)
Type.store = stores.store
M.store_member = stores.store_bits
M.of_value = structs.type_of

return M
