-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Values as JSON (RFC 8259): Lua's own, and events and map values as they come out of the kernel.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local format = require("bpflua.format")
local types = require("bpflua.types")
local utf8 = require("bpflua.utf8")

---@class bpflua.json
local M = {}

-- Tables nested deeper than this are taken for endless.
local MAX_DEPTH = 100

---Stands for JSON's null where Lua's nil would leave a hole.
M.null = setmetatable({}, { __tostring = function() return "null" end })

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f" }

local function escape(char)
    return ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

-- File names and comms are bytes: what is not UTF-8 becomes U+FFFD, so that the line stays valid.
local function valid_utf8(text)
    if not text:find("[\128-\255]") then
        return text
    end
    local pieces = {}
    for character, code in utf8.characters(text) do
        pieces[#pieces + 1] = code and character or "\239\191\189"
    end
    return table.concat(pieces)
end

local function text_of(text)
    return '"' .. valid_utf8(text):gsub('[%z\1-\31"\\]', escape) .. '"'
end

local function number_of(number)
    if number ~= number or number == math.huge or number == -math.huge then
        return "null"
    elseif number % 1 == 0 and math.abs(number) < 2 ^ 53 then
        return ("%d"):format(number)
    end
    -- The shortest digits that are this number and no other.
    for digits = 15, 16 do
        local text = ("%." .. digits .. "g"):format(number)
        if tonumber(text) == number then
            return text
        end
    end
    return ("%.17g"):format(number)
end

local encode

-- ---------------------------------------------------------------- values of the kernel's

local at_address

local function struct_at(ctype, address)
    local pieces = {}
    for i, field in ipairs(ctype:members()) do
        local value
        if field.bits then
            local number, name = types.read_member(address, field)
            value = encode(name or number)
        else
            value = at_address(types.of(field.type), ffi.cast("const uint8_t *", address) + field.offset)
        end
        pieces[i] = text_of(field.name) .. ":" .. value
    end
    return "{" .. table.concat(pieces, ",") .. "}"
end

local function array_at(ctype, address)
    local element, pieces = types.of(ctype.element), {}
    for i = 0, ctype.count - 1 do
        pieces[i + 1] = at_address(element, ffi.cast("const uint8_t *", address) + i * element.size)
    end
    return "[" .. table.concat(pieces, ",") .. "]"
end

-- Enums by their names; pointers as numbers; `__int128` as digits in a string, which no reader of JSON cuts off.
function at_address(ctype, address)
    if ctype.kind == "array" and not ctype.text then
        return array_at(ctype, address)
    elseif ctype.fields then
        return struct_at(ctype, address)
    end
    local value = ctype:load(ffi.cast(ctype.pointer, address), 0)
    local name = ctype.values and ctype:name_of(value)
    if ctype.kind == "int128" or ctype.kind == "bytes" then
        return text_of(ctype:text_at(address))
    elseif ctype.kind == "pointer" then
        return format.text(ffi.cast("uint64_t", ffi.cast("uintptr_t", value)))
    end
    return encode(name or value)
end

local function cdata(value)
    local ctype = types.of_value(value)
    if ctype then
        return at_address(ctype, value)
    end
    value = format.plain(value)
    if type(value) ~= "cdata" then
        return encode(value)
    end
    local length = format.array_length(value)
    if length then
        local pieces = {}
        for i = 1, length do
            pieces[i] = encode(value[i - 1])
        end
        return "[" .. table.concat(pieces, ",") .. "]"
    end
    return tonumber(value) and format.text(value) or text_of(format.text(value))
end

-- ---------------------------------------------------------------- Lua's own

local function key_of(key)
    if type(key) == "string" then
        return text_of(key)
    elseif type(key) == "table" then
        errors.fail({ what = "cannot encode a table as JSON", why = "one of its keys is a table" })
    end
    return text_of(format.text(key))
end

local function members_of(value, depth)
    local keys, pieces = {}, {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        return format.text(a) < format.text(b)
    end)
    for i, key in ipairs(keys) do
        pieces[i] = key_of(key) .. ":" .. encode(value[key], depth + 1)
    end
    return "{" .. table.concat(pieces, ",") .. "}"
end

-- A table is a list when its keys are 1 to n; an empty one is an object.
local function table_of(value, depth)
    if depth > MAX_DEPTH then
        errors.fail({ what = "cannot encode a table as JSON", why = ("it is nested more than %d deep, or holds itself"):format(MAX_DEPTH) })
    end
    local count = 0
    for _ in pairs(value) do
        count = count + 1
    end
    if count == 0 or #value ~= count then
        return members_of(value, depth)
    end
    local pieces = {}
    for i, element in ipairs(value) do
        pieces[i] = encode(element, depth + 1)
    end
    return "[" .. table.concat(pieces, ",") .. "]"
end

function encode(value, depth)
    local kind = type(value)
    if kind == "nil" or value == M.null then
        return "null"
    elseif kind == "boolean" then
        return tostring(value)
    elseif kind == "number" then
        return number_of(value)
    elseif kind == "string" then
        return text_of(value)
    elseif kind == "cdata" then
        return cdata(value)
    elseif kind == "table" then
        return table_of(value, depth or 1)
    end
    errors.fail({ what = ("cannot encode a %s as JSON"):format(kind) })
end

---A value as one line of JSON. Structs of events and maps become objects, in the order of their members; `char[N]` is
---text, enums are their names, 64-bit integers all their digits. Lua tables with the keys 1 to n are arrays; members of
---others are sorted. Numbers that JSON cannot say (not a number, infinite) are null.
---@param value any nil, booleans, numbers, texts, lists and tables, events, 64-bit cdata
---@return string
function M.encode(value)
    return encode(value)
end

---The value of a text in JSON: objects and arrays are tables, null is nil, numbers are the nearest that Lua has.
---@param text string in JSON
---@return any
function M.decode(text)
    errors.arguments("decode", { "text", "string!" }, text)
    return native.json.decode(text)
end

require("bpflua.surface").add_functions("bpflua.json", M, "json")

return M
