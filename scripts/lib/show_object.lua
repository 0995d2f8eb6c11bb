-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- BPF objects as a person reads them: their functions, maps and probes; and functions, with what they are for.

local docs = require("bpflua.docs")
local native = require("bpflua.native")
local text = require("bpflua.show_text")
local value_text = require("bpflua.show_value")

local M = {}

---Whether a value is a BPF object.
---@param value any
---@return boolean
function M.is(value)
    return type(value) == "table" and rawget(value, "_handle") ~= nil and rawget(value, "_maps") ~= nil
end

---The maps that the C text declares, by their names: those of its global variables (`.bss`) are left out.
---@param object bpflua.BPF
---@return bpflua.Map[]
function M.maps(object)
    local maps = {}
    for name, map in pairs(rawget(object, "_maps")) do
        maps[#maps + 1] = name:sub(1, 1) ~= "." and map or nil
    end
    table.sort(maps, function(a, b)
        return a.name < b.name
    end)
    return maps
end

---What a BPF object holds, as plain tables.
---@param object bpflua.BPF
---@return {functions: string[], maps: table[], probes: bpflua.Probe[], closed: boolean?}
function M.facts(object)
    local handle = rawget(object, "_handle")
    if not handle then
        return { closed = true }
    end
    local maps = {}
    for i, map in ipairs(M.maps(object)) do
        maps[i] = { name = map.name, kind = map.kind, max_entries = map.max_entries }
    end
    return { functions = native.object.functions(handle), maps = maps, probes = native.attach.probes(handle) }
end

local function map_words(map)
    local key = map.key_type and map.key_type.name
    local value = map.value_type and map.value_type.name
    local elements = key and value and (" %s → %s"):format(key, value) or map.event_type and " of " .. map.event_type.name or ""
    return ("%s%s"):format(map.kind, elements)
end

local function section(lines, title, rows, width)
    for i, row in ipairs(rows) do
        lines[#lines + 1] = text.cut(text.pad(i == 1 and title or "", 10) .. row, width)
    end
end

---The lines of a BPF object.
---@param object bpflua.BPF
---@param options {width: integer, rows: integer}
---@return string[]
function M.lines(object, options)
    local facts = M.facts(object)
    if facts.closed then
        return { "BPF object (closed)" }
    end
    local lines = { ("BPF object: %s, %s, %s attached"):format(text.counted(#facts.functions, "function"),
        text.counted(#facts.maps, "map"), text.counted(#facts.probes, "probe")) }
    local maps, probes = {}, {}
    for i, map in ipairs(M.maps(object)) do
        maps[i] = ("%s (%s)"):format(map.name, map_words(map))
    end
    for i, probe in ipairs(facts.probes) do
        probes[i] = ("%s %s → %s"):format(probe.kind, text.printable(probe.target), probe.fn_name)
    end
    section(lines, "functions", facts.functions, options.width)
    section(lines, "maps", maps, options.width)
    section(lines, "probes", probes, options.width)
    return lines
end

---The lines of a function: its name and place, and the first line of what is written of it.
---@param fn function
---@param options {width: integer}
---@return string[]
function M.function_lines(fn, options)
    local lines, doc = { text.cut(value_text.function_text(fn), options.width) }, docs.of(fn)
    if doc and doc.lines[1] and not doc.lines[1]:find("^@") then
        lines[2] = text.cut(doc.lines[1], options.width)
    end
    return lines
end

return M
