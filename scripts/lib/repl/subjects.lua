-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What the arguments of commands are: maps, functions and probes of the session's BPF objects by their names, or what an
-- expression gives.

local errors = require("bpflua.errors")
local map = require("bpflua.map")
local native = require("bpflua.native")
local open_objects = require("bpflua.objects")
local show_object = require("bpflua.show_object")

local M = {}

---The words of a command's arguments.
---@param rest string
---@return string[]
function M.words(rest)
    local words = {}
    for word in rest:gmatch("%S+") do
        words[#words + 1] = word
    end
    return words
end

---Takes words that are options out of a list: `-a`, `-v`.
---@param command string for the error
---@param words string[]
---@param known table<string, true>
---@return table<string, true> given
function M.take_options(command, words, known)
    local given = {}
    for i = #words, 1, -1 do
        if words[i]:sub(1, 1) == "-" then
            local name = table.remove(words, i)
            if not known[name] then
                errors.unknown(("`:%s` has no option `%s`"):format(command, name), name, known, "options")
            end
            given[name] = true
        end
    end
    return given
end

---Raises when there are more words than a command takes.
---@param command string
---@param words string[]
---@param most integer
function M.at_most(command, words, most)
    if #words > most then
        local takes = most == 0 and "no arguments" or most == 1 and "1 argument" or most .. " arguments"
        errors.fail({ what = ("cannot run `:%s`"):format(command), why = ("it takes %s, and %d are given"):format(takes, #words) })
    end
end

---Raises unless a word is a number of seconds.
---@param command string
---@param word string
---@param least number
---@return number
function M.seconds(command, word, least)
    local seconds = tonumber(word)
    if not seconds or seconds ~= seconds or seconds < least or seconds > 86400 then
        errors.fail({ what = ("`:%s` does not take `%s`"):format(command, word), why = ("it must be a number of seconds, from %s to a day"):format(least) })
    end
    return seconds
end

-- ---------------------------------------------------------------- maps

-- Maps by name; of several objects the newest's.
local function maps_by_name()
    local maps = {}
    for _, object in ipairs(open_objects) do
        for _, one in ipairs(show_object.maps(object)) do
            maps[one.name] = one
        end
    end
    return maps
end

-- What an expression gives; nil when it is none, or fails.
local function value_of(session, expression)
    local fn = loadstring("return " .. expression, "=(command)")
    if not fn then
        return nil
    end
    local ok, value = pcall(setfenv(fn, session.environment))
    return ok and value or nil
end

---The value that a word names: a map of an open object, or what an expression gives.
---@param session bpflua.Session
---@param command string for the error
---@param word string
---@return any value
function M.value(session, command, word)
    local maps = maps_by_name()
    if maps[word] then
        return maps[word]
    end
    local value
    if word:find("^[%a_][%w_]*$") then
        value = session:value(word)
    else
        value = value_of(session, word)
    end
    if value == nil then
        errors.unknown(("`:%s` knows no map `%s`"):format(command, word), word:match("[%w_]+$") or word, maps, "maps")
    end
    return value
end

---The same, which must be a map.
---@param session bpflua.Session
---@param command string
---@param word string
---@return bpflua.Map
function M.map(session, command, word)
    local value = M.value(session, command, word)
    if not map.receiver.is(value) then
        errors.fail({ what = ("`:%s` needs a map"):format(command), why = ("`%s` is a %s"):format(word, errors.type_name(value)) })
    end
    return value
end

---The maps of all open objects, those of one object after the other.
---@return bpflua.Map[]
function M.maps()
    local maps = {}
    for _, object in ipairs(open_objects) do
        for _, one in ipairs(show_object.maps(object)) do
            maps[#maps + 1] = one
        end
    end
    return maps
end

-- ---------------------------------------------------------------- functions

---The function of a C text that a word names: of several objects the newest's. Without a word, the only one there is.
---@param command string
---@param word? string
---@return bpflua.BPF object
---@return string name
function M.text_function(command, word)
    local owners, names = {}, {}
    for _, object in ipairs(open_objects) do
        for _, name in ipairs(native.object.functions(object:_object())) do
            names[#names + 1] = not owners[name] and name or nil
            owners[name] = object
        end
    end
    if not word and #names == 1 then
        word = names[1]
    elseif not word then
        errors.fail({
            what = ("`:%s` needs the name of a function"):format(command),
            why = #names == 0 and "there is no C text with a function" or nil,
            evidence = #names > 0 and { "the functions are " .. table.concat(names, ", ") } or nil,
        })
    elseif not owners[word] then
        errors.unknown(("no C text has a function `%s`"):format(word), word, owners, "functions")
    end
    return owners[word], word
end

-- ---------------------------------------------------------------- probes

-- Numbers that stay with their probes, whatever is attached and detached meanwhile.
local numbers, last_number = setmetatable({}, { __mode = "k" }), 0

local function number_of(object, probe)
    local known = numbers[object] or {}
    numbers[object] = known
    if not known[probe.id] then
        last_number = last_number + 1
        known[probe.id] = last_number
    end
    return known[probe.id]
end

---@class NumberedProbe
---@field number integer
---@field object bpflua.BPF
---@field probe bpflua.Probe

---What is attached, each with a number of its own.
---@return NumberedProbe[]
function M.probes()
    local all = {}
    for _, object in ipairs(open_objects) do
        for _, probe in ipairs(object:probes()) do
            all[#all + 1] = { number = number_of(object, probe), object = object, probe = probe }
        end
    end
    return all
end

---How many probes are attached. Unlike `probes`, it gives out no numbers.
---@return integer
function M.count_probes()
    local count = 0
    for _, object in ipairs(open_objects) do
        count = count + #object:probes()
    end
    return count
end

-- A glob as a Lua pattern.
local function pattern_of(glob)
    return "^" .. glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
end

-- The words that a probe answers to.
local function names_of(one)
    local probe = one.probe
    local names = { probe.target, probe.kind .. ":" .. probe.target, probe.fn_name }
    for _, resolved in ipairs(probe.resolved) do
        names[#names + 1] = resolved
    end
    return names
end

---The probes that a word means: a number, `all`, a target, `kind:target`, a function; with `*` and `?` as in a shell.
---@param command string
---@param word string
---@return NumberedProbe[]
function M.probes_of(command, word)
    local found, known, pattern = {}, {}, pattern_of(word)
    for _, one in ipairs(M.probes()) do
        local is_meant = word == "all" or tonumber(word) == one.number
        for _, name in ipairs(names_of(one)) do
            known[name] = true
            is_meant = is_meant or name:find(pattern) ~= nil
        end
        found[#found + 1] = is_meant and one or nil
    end
    if #found == 0 then
        errors.unknown(("`:%s` finds no probe `%s`"):format(command, word), word, known, "probes that are attached")
    end
    return found
end

return M
