-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What the prompt shows, as JSON: maps with all their elements, an element a line, BPF objects by what they hold.

local errors = require("bpflua.errors")
local json = require("bpflua.json")
local map = require("bpflua.map")
local show_object = require("bpflua.show_object")
local stack = require("bpflua.show_stack")

local M = {}

local function by_cpu(value)
    local list = {}
    for cpu = 0, value.cpus - 1 do
        list[cpu + 1] = value[cpu]
    end
    return list
end

local function element(one, key, value)
    if one.per_cpu then
        value = by_cpu(value)
    end
    return ('{"key":%s,"value":%s}'):format(json.encode(key), json.encode(value))
end

local function stack_elements(one, lines)
    for id in one:keys() do
        lines[#lines + 1] = ('{"id":%s,"frames":%s}'):format(json.encode(id), json.encode(stack.lines(one, id)))
    end
end

-- One array, an element a line.
local function map_text(one)
    local lines = {}
    if one.kind == "stack_trace" then
        stack_elements(one, lines)
    else
        for key, value in one:pairs() do
            lines[#lines + 1] = element(one, key, value)
        end
    end
    return "[" .. table.concat(lines, ",\n ") .. "]"
end

-- Lua's own that JSON has no word for is text. `around` has the tables that the value is in: one that is in itself is left
-- to `json.encode`, which refuses it in words.
local function plain(value, around)
    local kind = type(value)
    if kind == "function" or kind == "userdata" or kind == "thread" then
        return errors.is_error(value) and value.message or tostring(value)
    elseif kind == "table" and rawget(value, "cpus") and getmetatable(value) then
        return by_cpu(value)
    elseif kind ~= "table" or value == json.null or around[value] then
        return value
    end
    local meta = getmetatable(value)
    if type(meta) == "table" and rawget(meta, "__tostring") and next(value) == nil then
        return tostring(value)
    end
    local copy = {}
    around[value] = true
    for key, member in next, value do
        copy[key] = plain(member, around)
    end
    around[value] = nil
    return copy
end

---A value as JSON.
---@param value any
---@return string
function M.text(value)
    if map.receiver.is(value) then
        return map_text(value)
    elseif show_object.is(value) then
        return json.encode(show_object.facts(value))
    end
    local meta = type(value) == "table" and getmetatable(value)
    if type(meta) == "table" and rawget(meta, "__json") then
        return json.encode(meta.__json(value))
    end
    return json.encode(plain(value, {}))
end

return M
