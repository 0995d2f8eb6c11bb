-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a struct of the kernel's answers in a script beyond its members, and an `__int128`.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local int128 = require("bpflua.int128")

local M = {}

-- `types.lua`, whose values these are.
local types

-- The member by which a struct value tells its own type.
local TYPE_OF = "__bpflua_type"

local function type_of(value)
    return value[TYPE_OF]
end

---The type of a struct value that an object's types were made for; nil for other cdata.
---@param value ffi.cdata*
---@return bpflua.Type?
function M.type_of(value)
    local ok, found = pcall(type_of, value)
    return ok and getmetatable(found) == types.Type and found or nil
end

---@class bpflua.Struct a struct as it comes out of the kernel: an event, a key or value of a map, or one of their members.
---Its members are its fields.
local Struct = {}

---The value on its own: an event's is gone when its handler returns, and so is that of a member. The elements of a flexible
---array at its end stay behind; `ffi.string(event, size)` keeps them as bytes.
---@return bpflua.Struct
function Struct:copy()
    return type_of(self).ctype(self)
end

---The value as one string: equal strings for equal values, good as a key of a Lua table.
---@return string
function Struct:tuple()
    return type_of(self):text_at(self)
end

---The members as a Lua table that owns what is in it: structs become tables, arrays lists from 1, `char[N]` strings; 64-bit
---integers and `__int128` stay cdata. A map takes such a table as a key or a value, unless there is a named union in it.
---@return table<string, any>
function Struct:to_table()
    return type_of(self):value_at(self)
end

---The name that the C text's enum has for what is in a member: `event:name_of("state")`.
---@param member string whose type is an enum
---@return string? name nil when the value has none
function Struct:name_of(member)
    errors.arguments("name_of", { "member", "string!" }, member)
    local self_type = type_of(self)
    local field = self_type:fields_by_name()[member]
    if not field then
        M.no_member(self_type, member)
    elseif not field.type.values then
        errors.fail({
            what = ("cannot tell the name of what is in `%s` of `%s`"):format(member, self_type.name),
            why = ("it is a `%s`, and only enums have names"):format(field.type.name),
        })
    end
    return types.of(field.type):name_of(field.bits and types.read_member(self, field) or self[member])
end

require("bpflua.surface").add_methods("bpflua.Struct", Struct, {
    noun = "struct",
    is = function(value)
        local found = M.type_of(value)
        return found and found.fields
    end,
})

---Raises the error for a member that a type has not.
---@param self bpflua.Type
---@param name any
function M.no_member(self, name)
    local known = self.fields and self:fields_by_name() or { lo = true, hi = true }
    errors.unknown(("`%s` has no member `%s`"):format(self.name, tostring(name)), tostring(name), known, "members")
end

-- Members that LuaJIT has no declaration for; the others never come here.
local function set_hidden(self, hidden, value, name, new)
    local field = hidden[name]
    local what = ("`%s`.%s"):format(self.name, tostring(name))
    if not field then
        M.no_member(self, name)
    elseif field.bits then
        return types.store_member(value, field, new, what)
    end
    local member = types.of(field.type)
    local place = ffi.cast("uint8_t *", value) + field.offset
    member:store(ffi.cast(ffi.typeof("$ *", member.ctype), place), 0, new, what)
end

---The metatable of a struct's values.
---@param self bpflua.Type
---@return table
function M.metatype(self)
    local hidden = {}
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
                return types.read_hidden(value, hidden[name])
            end
            M.no_member(self, name)
        end,
        __newindex = function(value, name, new)
            set_hidden(self, hidden, value, name, new)
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

---The metatable of an `__int128`: its decimal digits as text, compared by value with its like and with what fits 64 bits.
---@param self bpflua.Type
---@return table
function M.int128_metatype(self)
    local metatype = int128.metatype(self.signed)
    metatype.__index = function(_, name)
        if name == TYPE_OF then
            return self
        end
        M.no_member(self, name)
    end
    metatype.__newindex = function(_, name)
        M.no_member(self, name)
    end
    return metatype
end

---Makes the types known.
---@param all table the module `types`
function M.install(all)
    types = all
end

return M
