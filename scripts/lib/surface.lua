-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What scripts see: every public table of functions by the name of its class. The editor stubs, the reference and the
-- prompt's help are made of it, so that none of them can miss a function or keep one that is gone.
--
-- What passes by here is guarded: a method wants its object in front (a dot in place of the colon is told), and nothing
-- takes more arguments than it has parameters. What an argument must be is checked by the function itself.

local errors = require("bpflua.errors")

local M = {}

---@class Surface
---@field class string the LuaLS class of the table, or of the objects that have its functions as methods
---@field global? string the global variable that is the table
---@field functions table<string, function>
---@field is_object boolean functions are methods: their first parameter is the object

---In the order of their declaration.
---@type Surface[]
M.all = {}

---The modules with public functions that are loaded when a script asks for them.
---@type string[]
M.on_demand = { "bpflua.utils", "bpflua.oneliner_show", "bpflua.tool", "bcc.utils", "bcc.exec" }

local originals = setmetatable({}, { __mode = "k" })

---A method that calls a function which needs no object.
---@param fn function
---@return function
function M.as_method(fn)
    local method = function(_, ...)
        return fn(...)
    end
    originals[method] = fn
    return method
end

---The function that a public one was made of by `as_method` or a guard; any other as it is.
---@param fn function
---@return function
function M.original(fn)
    return originals[fn] or fn
end

---The names of the public functions of one table, sorted.
---@param surface Surface
---@return string[]
function M.names(surface)
    local names = {}
    for name, value in pairs(surface.functions) do
        if type(name) == "string" and name:sub(1, 1) ~= "_" and type(value) == "function" then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

-- ---------------------------------------------------------------- guards

-- A guard has the parameters of what it guards, so that nothing is packed into a table on the way. It is made of text, once
-- for each number of them. Empty lines in front give the text the line numbers that it has in this file.
local OWN_CHUNK = debug.getinfo(1, "S").source
local GUARD = ("\n"):rep(debug.getinfo(1, "l").currentline) .. [[
local select = select
return function(fn, name, check, too_many)
    return function(%s...)
        check(%s, name)
        if select("#", ...) > 0 then
            too_many(...)
        end
        return fn(%s)
    end
end
]]

-- For those that take any number.
local function open_guard(fn, name, check)
    return function(first, ...)
        check(first, name)
        return fn(first, ...)
    end
end

local function parameter_list(count)
    local list = {}
    for i = 1, count do
        list[i] = "p" .. i
    end
    return table.concat(list, ", ")
end

-- Parameters, that of the object among them; nil for any number.
local function count_parameters(fn)
    local original = M.original(fn)
    local info = debug.getinfo(original, "u")
    if info.isvararg then
        return nil
    end
    return info.nparams + (original ~= fn and 1 or 0)
end

local function excess(name, takes)
    local words = takes == 0 and "no arguments" or takes == 1 and "1 argument" or takes .. " arguments"
    return function(...)
        for i = 1, select("#", ...) do
            if select(i, ...) ~= nil then
                errors.fail({
                    what = ("cannot call `%s`"):format(name),
                    why = ("it takes %s, and %d %s given"):format(words, takes + i, takes + i == 1 and "is" or "are"),
                })
            end
        end
    end
end

local makers = {}

-- What makes guards of functions with so many parameters.
local function maker(count)
    if not count then
        return open_guard
    elseif not makers[count] then
        local list = parameter_list(count)
        local text = GUARD:format(count > 0 and list .. ", " or "", count > 0 and "p1" or "nil", list)
        makers[count] = assert(loadstring(text, OWN_CHUNK))()
    end
    return makers[count]
end

local function guard(name, fn, has_object, check)
    local count = count_parameters(fn)
    local too_many = count and excess(name, count - (has_object and 1 or 0))
    local guarded = maker(count)(fn, name, check, too_many)
    originals[guarded] = M.original(fn)
    return guarded
end

local function no_check() end

-- `BPF:sleep(1)` hands the table itself to a function.
local function dot_check(class, functions, global)
    if not global then
        return no_check
    end
    return function(first, name)
        if first ~= nil and (first == functions or first == rawget(_G, global)) then
            errors.fail({
                what = ("cannot call `%s`"):format(name),
                why = ("it is no method of `%s`"):format(global),
                hints = { ("call it with a dot: `%s.%s(…)`"):format(global, name) },
            })
        end
    end
end

---What objects a class of methods is for.
---@class Receiver
---@field noun string what an error calls the object: "map"
---@field is fun(value: any): any whether a value is such an object
---@field ready? fun(self: any, name: string) raises when the method cannot be called now

local function colon_check(receiver)
    local is, ready = receiver.is, receiver.ready
    return function(self, name)
        if not is(self) then
            errors.fail({
                what = ("cannot call `%s`"):format(name),
                why = ("it is a method of a %s, and was called on %s"):format(receiver.noun,
                    self == nil and "nothing" or "a " .. errors.type_name(self)),
                hints = { ("call it with a colon: `:%s(…)`"):format(name) },
            })
        elseif ready then
            ready(self, name)
        end
    end
end

---Adds a table whose functions are called with a dot.
---@param class string
---@param functions table<string, any> what is no function, or begins with `_`, is left out; the others are guarded
---@param global? string
---@param both? table<string, true> those that can be called with a colon, too
function M.add_functions(class, functions, global, both)
    local one = { class = class, functions = functions, global = global, is_object = false }
    local check = dot_check(class, functions, global)
    for _, name in ipairs(M.names(one)) do
        functions[name] = guard(name, functions[name], false, both and both[name] and no_check or check)
    end
    M.all[#M.all + 1] = one
end

---Adds the methods of a kind of object.
---@param class string
---@param methods table<string, any> what is no function, or begins with `_`, is left out; the others are guarded
---@param receiver Receiver
---@param both? table<string, true> those that check by themselves what they were called on
function M.add_methods(class, methods, receiver, both)
    local one = { class = class, functions = methods, is_object = true }
    local check = colon_check(receiver)
    for _, name in ipairs(M.names(one)) do
        methods[name] = guard(name, methods[name], true, both and both[name] and no_check or check)
    end
    M.all[#M.all + 1] = one
end

return M
