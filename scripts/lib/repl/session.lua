-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A session of the prompt: its variables, its results, and what was said so far. It reads no keys; `prompt.lua` does.
--
-- Each statement is a chunk named `(repl):N`. Its globals are the session's environment, which holds the locals of the first
-- level (see `locals.lua`), the results `_`, `_1`, `_2` …, and behind them the caller's locals, if the prompt is inside a
-- script, and the globals.

local boot = require("bpflua.boot")
local errors = require("bpflua.errors")
local events = require("bpflua.events")
local globals = require("bpflua.globals")
local locals = require("bpflua.repl.locals")
local native = require("bpflua.native")
local open_objects = require("bpflua.objects")

local M = {}

---@class bpflua.Session
---@field environment table what statements see as globals
---@field record {number: integer?, path: string?, text: string, is_expression: boolean?}[] what succeeded, in order
---@field number integer of the next statement
---@field texts table<integer, string> all statements by their numbers, those that failed among them
---@field makers table<bpflua.BPF, integer|string> the number of the statement, or the file, that made an object
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

-- What only a prompt has as globals, where the user has nothing of that name.
local function add_globals()
    boot.add_words()
    if rawget(_G, "help") == nil then
        rawset(_G, "help", function(...)
            return require("bpflua.repl.help").help(...)
        end)
    end
    native.complete.prepare()
end

---A session.
---@param frame? bpflua.Frame whose locals its statements see
---@return bpflua.Session
function M.new(frame)
    add_globals()
    local session = setmetatable({
        record = {},
        number = 1,
        frame = frame,
        declared = {},
        texts = {},
        makers = setmetatable({}, { __mode = "k" }),
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

---Makes the process that a shell's command ran as `_pid`, and `pid` as well while nothing else is called so.
---@param pid integer
function Session:note_process(pid)
    local known = self:value("pid")
    self:declare({ _pid = pid })
    if known == nil or known == self.noted_pid and rawget(self.environment, "pid") == known then
        self:declare({ pid = pid })
        self.noted_pid = pid
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
        local failure = boot.on_error(raised)
        for _ = 1, errors.lines_outside() do
            table.remove(failure.frames)
        end
        return failure
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
local EXPRESSION = "local take_ = ... take_(%s)"

-- An expression without what stands behind it: an error of its last part is told of the line where it is closed.
local function without_comment(text)
    local tokens = locals.tokens(text)
    return #tokens > 0 and text:sub(1, tokens[#tokens].last) or text
end

-- The chunk of a text: as an expression, else as a statement. Nil, with Lua's message, when it is neither.
local function compile(self, text, chunk)
    if loadstring("return " .. text) then
        return loadstring(EXPRESSION:format(without_comment(text)), "=" .. chunk), true
    end
    local rewritten, names = locals.rewrite(text)
    -- A first line that begins with `#` is skipped unless something stands in front.
    local statement, message = loadstring(" " .. rewritten, "=" .. chunk)
    if not statement then
        -- A fault that the rewriting brought in must not be told.
        statement, message = loadstring(" " .. text, "=" .. chunk)
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

-- How to go on with a value, said once in a session.
local function hint_of(self, value)
    local meta = type(value) == "table" and not self.is_hint_told and getmetatable(value)
    local hint = type(meta) == "table" and rawget(meta, "__hint")
    local text = hint and hint(value)
    self.is_hint_told = self.is_hint_told or text ~= nil
    return text
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
    local hint = not self.is_json and hint_of(self, (...))
    if hint then
        io.stdout:write(hint, "\n")
    end
end

-- Runs a chunk; the objects that it makes are known by `key`.
local function run(self, fn, key, ...)
    local is_old = {}
    for _, object in ipairs(open_objects) do
        is_old[object] = true
    end
    setfenv(fn, self.environment)
    local ok, failure = M.guarded(fn, ...)
    for _, object in ipairs(open_objects) do
        self.makers[object] = self.makers[object] or not is_old[object] and key or nil
    end
    if not ok then
        native.prompt.screen("statement")
        M.say(M.report(failure))
    end
    return ok
end

local function remember(self, entry)
    self.record[#self.record + 1] = entry
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
    self.texts[number] = text
    native.prompt.define(chunk, text)
    if not fn then
        M.say(native.prompt.syntax_error(chunk, text, message))
        return "done", false
    end
    local ok = run(self, fn, number, function(...)
        if select("#", ...) > 0 then
            keep_results(self, number, ...)
        end
    end)
    if ok then
        remember(self, { number = number, text = text, is_expression = is_expression })
    end
    return "done", ok
end

-- What a script is that returns `function(BPF, utils)`.
local function call_returned(result)
    if type(result) == "function" then
        result(BPF, require("bpflua.utils"))
    end
end

---Runs the text of a file: its locals of the first level become variables.
---@param path string
---@param text string
---@return boolean ok
function Session:run_file(path, text)
    text = text:gsub("^#[^\n]*", "")
    local rewritten, names = locals.rewrite(text)
    native.prompt.define(path, text)
    local fn, message = loadstring(rewritten, "@" .. path)
    if not fn then
        M.say(native.prompt.syntax_error(path, text, select(2, loadstring(text, "@" .. path)) or message))
        return false
    end
    for _, name in ipairs(names) do
        self.declared[name] = true
    end
    setfenv(fn, self.environment)
    local ok = run(self, function()
        call_returned(fn())
    end, path)
    if ok then
        remember(self, { path = path, text = text })
    end
    return ok
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
