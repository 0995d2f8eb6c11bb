-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A session of the prompt: its variables, its results, and what was said so far. It reads no keys; `prompt.lua` does.
--
-- Each statement is a chunk named `(repl):N`. Its globals are the session's environment, which holds the locals of the first
-- level (see `locals.lua`), the results `_`, `_1`, `_2` …, and behind them the caller's locals, if the prompt is inside a
-- script, and the globals.

local boot = require("bpflua.boot")
local events = require("bpflua.events")
local globals = require("bpflua.globals")
local locals = require("bpflua.repl.locals")
local native = require("bpflua.native")

local M = {}

---@class bpflua.Session
---@field environment table what statements see as globals
---@field record {number: integer, text: string, is_expression: boolean}[] the statements that succeeded
---@field number integer of the next statement
---@field is_json boolean results are printed as JSON
local Session = {}
Session.__index = Session

-- ---------------------------------------------------------------- variables

local function environment(session)
    local frame = session.frame
    local metatable = { __index = _G }
    if frame then
        metatable.__index = function(_, name)
            local is_there, value = frame:get(name)
            if is_there then
                return value
            end
            return session.globals[name]
        end
    end
    function metatable.__newindex(env, name, value)
        if session.declared[name] then
            rawset(env, name, value)
        elseif not (frame and frame:set(name, value)) then
            session.globals[name] = value
        end
    end
    return setmetatable({}, metatable)
end

---A session.
---@param frame? bpflua.Frame whose locals its statements see
---@return bpflua.Session
function M.new(frame)
    local session = setmetatable({
        record = {},
        number = 1,
        frame = frame,
        declared = {},
        globals = _G,
        is_json = false,
    }, Session)
    session.environment = environment(session)
    globals.watch_statements(function(name)
        return session.declared[name]
    end)
    return session
end

---Makes variables of the session, as `local` does at its prompt.
---@param values table<string, any>
function Session:declare(values)
    for name, value in pairs(values) do
        self.declared[name] = true
        rawset(self.environment, name, value)
    end
end

---The names that a statement can use, those of globals among them.
---@return string[] sorted
function Session:names()
    local seen, names = {}, {}
    local function add(name)
        if type(name) == "string" and not seen[name] then
            seen[name] = true
            names[#names + 1] = name
        end
    end
    for name in pairs(self.environment) do
        add(name)
    end
    for _, name in ipairs(self.frame and self.frame:names() or {}) do
        add(name)
    end
    for name in pairs(_G) do
        add(name)
    end
    table.sort(names)
    return names
end

---The value of a name, without an error when there is none.
---@param name string
---@return any
function Session:value(name)
    local value = rawget(self.environment, name)
    if value == nil and self.frame then
        local is_there, found = self.frame:get(name)
        if is_there then
            return found
        end
    end
    if value == nil then
        return rawget(_G, name)
    end
    return value
end

-- ---------------------------------------------------------------- running code of the user's

---Calls a function that Ctrl-C may interrupt at any place; what it raises comes back with the stack of the user's own code.
---@param fn function
---@return boolean ok
---@return any ... results, or `{raised =, frames =}`
function M.guarded(fn, ...)
    local loop = events.loop()
    return xpcall(function(...)
        loop.used, loop.stop_told = false, false
        return M.settled(loop, fn(...))
    end, function(raised)
        loop.used = true
        return boot.on_error(raised)
    end, ...)
end

---Ctrl-C is the prompt's own again.
function M.settled(loop, ...)
    loop.used = true
    return ...
end

---Writes lines that no limit holds back.
---@param text string
function M.say(text)
    io.stdout:flush()
    native.prompt.say(text)
end

---The report of what `guarded` caught.
---@param failure any
---@return string
function M.report(failure)
    if type(failure) ~= "table" or failure.raised == nil then
        return native.prompt.report(failure)
    end
    return native.prompt.report(failure.raised, failure.frames)
end

-- ---------------------------------------------------------------- statements

-- An expression, with a function that gets its results: not a tail call, so that the statement is in the stack.
local EXPRESSION = "local take_ = ... take_(%s\n)"

-- The chunk of a text: as an expression, else as a statement. Nil, with Lua's message, when it is neither.
local function compile(self, text, chunk)
    if loadstring("return " .. text) then
        return loadstring(EXPRESSION:format(text), "=" .. chunk), true
    end
    local rewritten, names = locals.rewrite(text)
    local statement, message = loadstring(rewritten, "=" .. chunk)
    if not statement then
        -- A fault that the rewriting brought in must not be told.
        statement, message = loadstring(text, "=" .. chunk)
        return statement, false, message
    end
    for _, name in ipairs(names) do
        self.declared[name] = true
    end
    return statement, false
end

local function is_incomplete(message)
    return message:match("'<eof>'$") ~= nil and not message:find(": unfinished string near ", 1, true)
end

-- Prints the results of an expression and keeps the first.
local function keep_results(self, number, ...)
    rawset(self.environment, "_", (...))
    rawset(self.environment, "_" .. number, (...))
    local show = require("bpflua.repl.show")
    local options = { width = (native.prompt.size()), json = self.is_json }
    for i = 1, select("#", ...) do
        io.stdout:write(show((select(i, ...)), options), "\n")
    end
end

---Evaluates a statement or an expression: prints what an expression gives, and reports what went wrong.
---@param text string
---@return "incomplete"|"done"
---@return boolean ok
function Session:evaluate(text)
    local number = self.number
    local chunk = "(repl):" .. number
    local fn, is_expression, message = compile(self, text, chunk)
    if not fn and is_incomplete(message) then
        return "incomplete", false
    end
    self.number = number + 1
    native.prompt.define(chunk, text)
    if not fn then
        M.say(native.prompt.syntax_error(chunk, text, message))
        return "done", false
    end
    setfenv(fn, self.environment)
    local ok, failure = M.guarded(fn, function(...)
        if select("#", ...) > 0 then
            keep_results(self, number, ...)
        end
    end)
    if ok then
        self.record[#self.record + 1] = { number = number, text = text, is_expression = is_expression }
    else
        M.say(M.report(failure))
    end
    return "done", ok
end

---Does what a line asks for: a command, a question, a statement.
---@param text string
---@return "incomplete"|"done"
function Session:submit(text)
    local line = text:match("^%s*(.-)%s*$")
    if line == "" then
        return "done"
    elseif line:match("^[:!]") or line:match("%?$") then
        local ok, failure = M.guarded(require("bpflua.repl.commands").run, self, line)
        if not ok then
            M.say(M.report(failure))
        end
        return "done"
    end
    return (self:evaluate(text))
end

return M
