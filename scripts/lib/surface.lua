-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What scripts see: every public table of functions by the name of its class. The editor stubs, the reference and the
-- prompt's help are made of it, so that none of them can miss a function or keep one that is gone.

local M = {}

---@class Surface
---@field class string the LuaLS class of the table, or of the objects that have its functions as methods
---@field global? string the global variable that is the table
---@field functions table<string, function>
---@field is_object boolean functions are methods: their first parameter is the object

---In the order of their declaration.
---@type Surface[]
M.all = {}

---Adds a table whose functions are called with a dot.
---@param class string
---@param functions table<string, any> what is no function, or begins with `_`, is left out
---@param global? string
function M.add_functions(class, functions, global)
    M.all[#M.all + 1] = { class = class, functions = functions, global = global, is_object = false }
end

---Adds the methods of a kind of object.
---@param class string
---@param methods table<string, any>
function M.add_methods(class, methods)
    M.all[#M.all + 1] = { class = class, functions = methods, is_object = true }
end

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

---The function that a method was made of by `as_method`; any other as it is.
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

return M
