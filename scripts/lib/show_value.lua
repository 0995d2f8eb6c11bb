-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Single values as a person reads them on one line: numbers, texts, structs as they come out of the kernel.

local ffi = require("ffi")
local format = require("bpflua.format")
local int128 = require("bpflua.int128")
local text = require("bpflua.show_text")
local types = require("bpflua.types")
local units = require("bpflua.show_units")

local M = {}

-- More elements of an array are left out, with their number.
local MOST_ELEMENTS = 16
-- The kernel's half of the addresses, on x86-64 and arm64.
local KERNEL_HALF = 0xffff000000000000ULL
-- Names of members that are addresses of code.
local CODE = { ip = true, pc = true, addr = true, address = true, func = true, ["function"] = true, fn = true, caller = true, ksym = true }

local u64 = ffi.typeof("uint64_t")
local byte_pointer = ffi.typeof("const uint8_t *")

---The kernel function that an address lies in; nil when it is none of the kernel's, or has no name.
---@param address ffi.cdata*|number
---@return string?
function M.kernel_function(address)
    if ffi.cast(u64, address) < KERNEL_HALF then
        return nil
    end
    local name = require("bpflua.symbols").ksym(ffi.cast(u64, address), false, true)
    return name ~= "[unknown]" and name or nil
end

---A number, in the unit that its name tells; an address of the kernel's code by its symbol.
---@param value number|ffi.cdata*
---@param name? string of the member
---@param unit? string in place of what the name tells
---@return string
function M.number(value, name, unit)
    local is_code = type(value) == "cdata" and (name == nil or CODE[name]) and ffi.istype(u64, value)
    local symbol = is_code and M.kernel_function(value)
    return symbol or units.text(value, unit or units.of_name(name))
end

local function hex(address, size)
    local digits = {}
    for i = 0, size - 1 do
        digits[i + 1] = ("%02x"):format(ffi.cast(byte_pointer, address)[i])
    end
    return table.concat(digits)
end

local function array_at(ctype, address)
    local element, pieces = types.of(ctype.element), {}
    if element.size == 1 and element.kind == "int" and ctype.count > 1 then
        return hex(address, math.min(ctype.count, 32)) .. (ctype.count > 32 and text.MARK or "")
    end
    for i = 0, math.min(ctype.count, MOST_ELEMENTS) - 1 do
        pieces[i + 1] = M.at(element, ffi.cast(byte_pointer, address) + i * element.size)
    end
    if ctype.count > MOST_ELEMENTS then
        pieces[#pieces + 1] = ("%s %d more"):format(text.MARK, ctype.count - MOST_ELEMENTS)
    end
    return "{" .. table.concat(pieces, ", ") .. "}"
end

local function struct_at(ctype, address)
    local pieces = {}
    for i, field in ipairs(ctype:members()) do
        pieces[i] = field.name .. " = " .. M.member(field, address, text.quoted)
    end
    return "{" .. table.concat(pieces, ", ") .. "}"
end

---The text of a value of a C type at an address.
---@param ctype bpflua.Type
---@param address ffi.cdata*
---@param name? string the member's, which may tell its unit
---@param shown_text? fun(text: string): string how texts are shown (default: in quotes)
---@return string
function M.at(ctype, address, name, shown_text)
    if ctype.fields then
        return struct_at(ctype, address)
    elseif ctype.kind == "array" and not ctype.text then
        return array_at(ctype, address)
    end
    local value = ctype:load(ffi.cast(ffi.typeof("const $ *", ctype.ctype), address), 0)
    if type(value) == "string" then
        return (shown_text or text.quoted)(value)
    elseif ctype.kind == "pointer" then
        local number = ffi.cast(u64, ffi.cast("uintptr_t", value))
        return number == 0 and "NULL" or M.kernel_function(number) or ("0x%x"):format(number)
    elseif ctype.kind == "int128" then
        return int128.decimal(value, ctype.signed)
    elseif ctype.kind == "bytes" then
        return hex(address, ctype.size)
    elseif ctype.kind == "char" then
        return value >= 32 and value < 127 and ("'%c'"):format(value) or tostring(value)
    end
    return ctype.values and ctype:name_of(value) or M.number(value, name or "")
end

---The text of a member of a struct at an address.
---@param field table of `Type:members()`
---@param base ffi.cdata* the struct's address
---@param shown_text? fun(text: string): string
---@return string
function M.member(field, base, shown_text)
    if field.bits then
        local value, name = types.read_member(base, field)
        return name or M.number(value, field.name)
    end
    return M.at(types.of(field.type), ffi.cast(byte_pointer, base) + field.offset, field.name, shown_text)
end

---What a member of a struct is ordered by: its number, else its text.
---@param field table of `Type:members()`
---@param base ffi.cdata* the struct's address
---@return number|string
function M.rank_of_member(field, base)
    local value
    if field.bits then
        value = (types.read_member(base, field))
    else
        local ctype = types.of(field.type)
        local is_whole = ctype.fields or ctype.kind == "array" and not ctype.text or ctype.kind == "pointer"
        local address = ffi.cast(byte_pointer, base) + field.offset
        value = not is_whole and ctype:load(ffi.cast(ffi.typeof("const $ *", ctype.ctype), address), 0) or nil
    end
    return type(value) == "string" and value or tonumber(value) or M.member(field, base, text.printable)
end

---Whether a member is shown as a number, which belongs to the right.
---@param ctype bpflua.Type
---@return boolean
function M.is_number(ctype)
    return (ctype.kind == "int" or ctype.kind == "float" or ctype.kind == "pointer") and not ctype.values
end

local function cdata_text(value)
    local ctype = types.of_value(value)
    if ctype then
        return M.at(ctype, ffi.cast(byte_pointer, ffi.cast(ffi.typeof("const $ *", ctype.ctype), value)))
    end
    value = format.plain(value)
    if type(value) == "string" then
        return text.quoted(value)
    elseif ffi.istype(u64, value) or ffi.istype("int64_t", value) then
        return format.text(value)
    end
    return text.printable(format.text(value))
end

-- Errors of bpflua are whole reports; on one line, their message.
local function userdata_text(value)
    local errors = require("bpflua.errors")
    return errors.is_error(value) and value.message or tostring(value)
end

---What a function is called, and where it is: `map:get(key, resolver)`, `function at script.lua:3`.
---@param fn function
---@return string
function M.function_text(fn)
    local doc, surface = require("bpflua.docs").of(fn), require("bpflua.surface")
    if doc then
        for _, one in ipairs(surface.all) do
            for _, name in ipairs(surface.names(one)) do
                if one.functions[name] == fn then
                    local owner = one.global or one.class:match("[^.]+$"):lower()
                    return ("function %s%s%s(%s)"):format(owner, one.is_object and ":" or ".", name, table.concat(doc.params, ", "))
                end
            end
        end
    end
    local info = debug.getinfo(fn, "S")
    for name, value in next, _G do
        if value == fn then
            return "function " .. name
        end
    end
    if info.what == "C" then
        return "function, built in"
    end
    return ("function at %s:%d"):format(text.printable(info.source:gsub("^[@=]", ""):match("^[^\n]*")), info.linedefined)
end

-- A number of Lua's with all its digits that count.
local function lua_number(value)
    if value % 1 == 0 and math.abs(value) < 2 ^ 63 then
        return ("%.0f"):format(value)
    end
    return ("%.14g"):format(value)
end

---A value that is no table on one line.
---@param value any
---@param name? string the member's, which may tell its unit
---@return string
function M.scalar(value, name)
    local kind = type(value)
    if kind == "string" then
        return text.quoted(value)
    elseif kind == "number" then
        local unit = units.of_name(name)
        return unit and units.text(value, unit) or lua_number(value)
    elseif kind == "cdata" then
        return cdata_text(value)
    elseif kind == "function" then
        return M.function_text(value)
    elseif kind == "userdata" then
        return text.printable(userdata_text(value))
    end
    return tostring(value)
end

return M
