-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- C types of an object: what the host describes becomes an FFI type, checks for values on their way to the kernel,
-- and readable, comparable values on their way back.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")

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

-- ---------------------------------------------------------------- values into memory

local function misfit(self, what, value, why)
    errors.fail({
        what = ("%s does not take %s"):format(what, type(value) == "string" and ("%q"):format(value) or format.text(value)),
        why = why or ("it is a `%s`, and this is a %s"):format(self.name, errors.type_name(value)),
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

local function store_wide_integer(self, array, index, value, what)
    if is_integer_cdata(value) or type(value) == "cdata" and pcall(ffi.cast, u64, value) then
        array[index] = ffi.cast(self.ctype, value)
    elseif type(value) == "number" then
        if value % 1 ~= 0 or value < self.min or value > self.max then
            misfit(self, what, value, ("a `%s` holds whole numbers of 64 bits"):format(self.name))
        end
        -- From 2^63 on, a double must not go by way of a signed integer.
        array[index] = value >= 2 ^ 63 and ffi.cast(u64, value - 2 ^ 63) + 0x8000000000000000ULL or value
    else
        misfit(self, what, value)
    end
end

local function store_integer(self, array, index, value, what)
    local named = type(value) == "string" and self.values and self.values[value]
    if named then
        value = named
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
    ffi.fill(array + index, self.size)
    local element = M.of(self.element)
    local target = ffi.cast(ffi.typeof("$ *", element.ctype), array + index)
    for i, value in ipairs(list) do
        element:store(target, i - 1, value, ("%s[%d]"):format(what, i))
    end
end

local function store_members(self, array, index, members, what)
    local names = self:fields_by_name()
    for name in pairs(members) do
        if not names[name] then
            errors.unknown(("`%s` has no member `%s`"):format(self.name, tostring(name)), name, names, "members")
        end
    end
    -- Built aside: a value that does not fit leaves the target as it was.
    local built = self.ctype()
    local base = ffi.cast("uint8_t *", built)
    for name, value in pairs(members) do
        local field = names[name]
        if field.bits then
            built[name] = value
        else
            local member = M.of(field.type)
            local place = ffi.cast(ffi.typeof("$ *", member.ctype), base + field.offset)
            member:store(place, 0, value, ("%s.%s"):format(what, name))
        end
    end
    array[index] = built
end

---Writes a Lua value into an array of this type, or raises when it does not fit; then nothing is written.
---@param array ffi.cdata* array of, or pointer to, this type
---@param index integer
---@param value any
---@param what string the place, for the error: "key of `counts`"
function Type:store(array, index, value, what)
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
    elseif kind == "float" and type(value) == "number" then
        array[index] = value
    elseif kind == "array" and self.text and type(value) == "string" then
        store_text(self, array, index, value, what)
    elseif kind == "array" and type(value) == "table" then
        store_list(self, array, index, value, what)
    elseif (kind == "struct" or kind == "union") and type(value) == "table" then
        store_members(self, array, index, value, what)
    elseif kind == "int128" and (type(value) == "number" or is_integer_cdata(value)) then
        array[index] = { lo = ffi.cast(u64, value), hi = value < 0 and -1 or 0 }
    else
        misfit(self, what, value)
    end
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
---@return number|ffi.cdata*
M.read_member = read_bits

-- The text of one member at its place; structs and arrays in braces.
local function member_text(field, base)
    if field.bits then
        return format.text(read_bits(base, field))
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

---@class bpflua.Struct a struct as it comes out of the kernel: an event, a key or value of a map. Its members are its fields.
local Struct = {}

---The value on its own: an event's is gone when its handler returns.
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

require("bpflua.surface").add_methods("bpflua.Struct", Struct)

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
