-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A typo in the name of a global is an error of the script, not a nil that goes wrong elsewhere.
--
-- A script declares a global by assigning to it outside of functions. What it reads must be there, and what its
-- functions assign must have been declared. Files that it requires, written for other hosts, are left alone.

local errors = require("bpflua.errors")

local M = {}

local script_source
-- Whether a name is a variable of the prompt that has no value now.
local is_declared

-- Whether the code that touched the global is the script's, and its kind of chunk.
local function toucher()
    local caller = debug.getinfo(3, "S")
    return caller and caller.source == script_source and caller.what or nil
end

-- What looks for a statement's globals where the prompt is inside a script.
local SESSION = "@scripts/lib/repl/session.lua"

-- Whether the code is a statement of the prompt.
local function is_statement()
    local caller = debug.getinfo(3, "S")
    if caller and caller.source == SESSION then
        caller = debug.getinfo(4, "S")
    end
    return caller and caller.source:match("^=%(repl%):") ~= nil
end

local function known_globals()
    local known = {}
    for name in pairs(_G) do
        known[name] = true
    end
    return known
end

local function fail(name, why)
    local what = ("%s the undeclared variable `%s`"):format(why, tostring(name))
    errors.unknown(what, name, known_globals(), "globals")
end

local function watch()
    setmetatable(_G, {
        __index = function(_, name)
            if toucher() or is_declared and is_statement() and not is_declared(name) then
                fail(name, "cannot read")
            end
        end,
        __newindex = function(globals, name, value)
            local what = toucher()
            if what and what ~= "main" then
                fail(name, "cannot assign to")
            end
            rawset(globals, name, value)
        end,
    })
end

---Watches the globals that a script touches.
---@param source string the chunk name of the script, with its first character
function M.watch(source)
    script_source = source
    watch()
end

---Watches the globals that statements of the prompt read; they may assign to any.
---@param declared fun(name: string): boolean? whether a name is a variable of the session
function M.watch_statements(declared)
    is_declared = declared
    watch()
end

return M
