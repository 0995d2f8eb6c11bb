-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- C types of an object: what the host describes becomes an FFI type, checks for values on their way to the kernel,
-- and readable, comparable values on their way back.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local int128 = require("bpflua.int128")
local stores = require("bpflua.stores")

---@class bpflua.Type a C type of the object's
---@field name string as the C text calls it
---@field size integer bytes
---@field kind string int, char, bool, float, enum, pointer, int128, array, struct, union, bytes
---@field ctype ffi.ctype*
local Type = {}
Type.__index = Type

local M = { Type = Type }

-- By declaration, so that the same struct is the same FFI type wherever it comes from.
local by_decl = {}

local i64, u64 = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
local byte_pointer = ffi.typeof("const uint8_t *")

-- ---------------------------------------------------------------- values out of memory

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
    if field.type.signed then
        value = bit.arshift(ffi.cast(i64, bit.lshift(value, unused)), unused)
    else
        value = bit.rshift(bit.lshift(value, unused), unused)
    end
    if field.type.kind == "bool" then
        return value ~= 0
    end
    return field.bits <= 32 and tonumber(value) or value
end

local function read_hidden(base, field)
    if field.bits then
        return read_bits(base, field)
    end
    local pointer = ffi.cast(ffi.typeof("const $ *", M.of(field.type).ctype), ffi.cast(byte_pointer, base) + field.offset)
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

---The name of an enum's value; nil when it has none.
---@param value number|ffi.cdata*
---@return string?
function Type:name_of(value)
    for name, number in pairs(self.values or {}) do
        if number == tonumber(value) then
            return name
        end
    end
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
    local value = self:load(ffi.cast(ffi.typeof("const $ *", self.ctype), address), 0)
    if self.kind == "int128" then
        return int128.decimal(value, self.signed)
    elseif self.kind == "bytes" then
        return (ffi.string(value.bytes, self.size):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
    end
    return self.values and self:name_of(value) or quoted(value)
end

-- The member by which a struct value tells its own type.
local TYPE_OF = "__bpflua_type"

local function type_of(value)
    return value[TYPE_OF]
end

---The type of a struct value that an object's types were made for; nil for other cdata.
---@param value ffi.cdata*
---@return bpflua.Type?
function M.of_value(value)
    local ok, found = pcall(type_of, value)
    return ok and getmetatable(found) == Type and found or nil
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
    local known = type(value) == "cdata" and M.of_value(value)
    return known and ("`%s`"):format(known.name) or errors.type_name(value)
end

---@class bpflua.Struct a struct as it comes out of the kernel: an event, a key or value of a map. Its members are its fields.
local Struct = {}

---The value on its own: an event's is gone when its handler returns. The elements of a flexible array at its end stay
---behind; `ffi.string(event, size)` keeps them as bytes.
---@return bpflua.Struct
function Struct:copy()
    return type_of(self).ctype(self)
end

---The value as one string: equal strings for equal values, good as a key of a Lua table.
---@return string
function Struct:tuple()
    return type_of(self):text_at(self)
end

---The members as a Lua table; 64-bit integers stay cdata, `char[N]` becomes a string.
---@return table<string, any>
function Struct:to_table()
    local copy = {}
    for _, field in ipairs(type_of(self):members()) do
        copy[field.name] = format.plain(self[field.name])
    end
    return copy
end

stores.install(M)
Type.store = stores.store
M.store_member = stores.store_bits

require("bpflua.surface").add_methods("bpflua.Struct", Struct, { noun = "struct", is = M.of_value })

-- What a struct value answers beyond its members.
local function struct_metatype(self)
    local hidden, of = {}, "members"
    for _, field in ipairs(self:members()) do
        hidden[field.name] = field.hidden and field or nil
    end
    return {
        __index = function(value, name)
            local method = Struct[name]
            if method then
                return method
            elseif name == TYPE_OF then
                return self
            end
            if hidden[name] then
                return read_hidden(value, hidden[name])
            end
            errors.unknown(("`%s` has no member `%s`"):format(self.name, tostring(name)), name, self:fields_by_name(), of)
        end,
        __tostring = function(value)
            return self:text_at(value)
        end,
        __eq = function(a, b)
            return type(a) == "cdata" and type(b) == "cdata" and ffi.istype(self.ctype, a) and ffi.istype(self.ctype, b)
                and ffi.string(a, self.size) == ffi.string(b, self.size)
        end,
    }
end

-- ---------------------------------------------------------------- construction

local function range(self)
    local bits = self.size * 8
    local signed = self.signed or self.kind == "char"
    self.min = signed and -(2 ^ (bits - 1)) or 0
    self.max = signed and 2 ^ (bits - 1) - 1 or 2 ^ bits - 1
    if bits == 64 and not signed then
        self.max = 2 ^ 64 - 2048 -- the last double below 2^64
    elseif bits == 64 then
        self.max = 2 ^ 63 - 1024
    end
end

---The type that the host describes.
---@param description table see `CType::to_table`
---@return bpflua.Type
function M.of(description)
    if getmetatable(description) == Type then
        return description
    end
    -- The same layout can carry several names, and enums several name tables.
    local id = description.decl .. "\n" .. description.name
    local known = by_decl[id]
    if known then
        return known
    end
    local self = setmetatable(description, Type)
    local shared = by_decl[description.decl]
    self.ctype = shared and shared.ctype or ffi.typeof(description.decl)
    self.array = ffi.typeof("$[?]", self.ctype)
    self.text = self.kind == "array" and self.element.kind == "char"
    if SCALARS[self.kind] and self.kind ~= "float" and self.kind ~= "bool" then
        range(self)
    end
    if self.fields and not shared then
        ffi.metatype(self.ctype, struct_metatype(self))
    end
    by_decl[description.decl] = shared or self
    by_decl[id] = self
    return self
end

return M
