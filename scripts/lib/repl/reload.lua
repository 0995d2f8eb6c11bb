-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A statement or a file run anew in place of what it was: the objects it had made are closed once the new ones are there, so
-- that a text that does not compile leaves the old probes attached.

local errors = require("bpflua.errors")
local locals = require("bpflua.repl.locals")
local open_objects = require("bpflua.objects")

local M = {}

-- Calls that give an object its probes and handlers. They are made again when the object is a new one.
local function is_setup(text)
    for _, token in ipairs(locals.tokens(text)) do
        if token.kind == "name" and (token.text == "on" or token.text:match("^attach_") or token.text:match("^open_%l+_buffer$")) then
            return true
        end
    end
    return false
end

local function objects_of(session, key)
    local objects = {}
    for _, object in ipairs(open_objects) do
        if session.makers[object] == key then
            objects[#objects + 1] = object
        end
    end
    return objects
end

-- The variables that hold one of the objects.
local function names_of(session, objects)
    local names = {}
    for _, name in ipairs(session:names()) do
        local value = session:value(name)
        for _, object in ipairs(objects) do
            names[name] = names[name] or rawequal(value, object) or nil
        end
    end
    return names
end

-- The place of a statement or file in the record.
local function place_of(session, key)
    for place, entry in ipairs(session.record) do
        if (entry.number or entry.path) == key then
            return place
        end
    end
end

-- Puts what was just recorded in the place of what it replaces.
local function take_place(session, place)
    local entry = table.remove(session.record)
    if place then
        session.record[place] = entry
    else
        session.record[#session.record + 1] = entry
    end
end

-- Makes the calls again that set up the old objects.
local function set_up(session, place, names)
    local again = {}
    for i = place + 1, #session.record do
        local entry = session.record[i]
        if entry.number and is_setup(entry.text) and locals.mentions(entry.text, names) then
            again[#again + 1] = entry.text
        end
    end
    for _, text in ipairs(again) do
        print("again: " .. text:match("^[^\n]*"))
        local count = #session.record
        session:evaluate(text)
        -- It is in the record already.
        session.record[count + 1] = nil
    end
end

local function replace(session, key, run)
    local old = objects_of(session, key)
    local names, place = names_of(session, old), place_of(session, key)
    if not run() then
        if #old > 0 then
            print("what was attached before stays")
        end
        return
    end
    take_place(session, place)
    for _, object in ipairs(old) do
        object:cleanup()
    end
    if place and next(names) then
        set_up(session, place, names)
    end
end

---Runs a text in place of a statement.
---@param session bpflua.Session
---@param number integer the statement's
---@param text string
function M.replace(session, number, text)
    replace(session, number, function()
        local state, ok = session:evaluate(text)
        if state == "incomplete" then
            errors.fail({ what = "the statement has no end", why = "a block, bracket or string is open" })
        end
        return ok
    end)
end

---Runs a file in place of what it was when it was loaded.
---@param session bpflua.Session
---@param path string
---@param text string
function M.run_file(session, path, text)
    replace(session, path, function()
        return session:run_file(path, text)
    end)
end

---Runs the statements anew that made objects of a C file.
---@param session bpflua.Session
---@param path string
function M.users_of(session, path)
    local numbers = {}
    for _, object in ipairs(open_objects) do
        local number = session.makers[object]
        if rawget(object, "_src_file") == path and session.texts[number] then
            numbers[#numbers + 1] = number
        end
    end
    if #numbers == 0 then
        print(("no statement made an object of `%s`"):format(path))
    end
    for _, number in ipairs(numbers) do
        M.replace(session, number, session.texts[number])
    end
end

return M
