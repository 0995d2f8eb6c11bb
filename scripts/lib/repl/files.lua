-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `:load`, `:save` and `:edit`: statements from files and into files.

local errors = require("bpflua.errors")
local locals = require("bpflua.repl.locals")
local native = require("bpflua.native")
local reload = require("bpflua.repl.reload")
local subjects = require("bpflua.repl.subjects")

local M = {}

local function read(path)
    local file, why = io.open(path, "rb")
    local text = file and file:read("*a")
    if not text then
        errors.fail({ what = ("cannot read `%s`"):format(path), why = why and why:gsub("^.-: ", "") or "it is no file" })
    end
    file:close()
    return text
end

local function write(path, text)
    local file, why = io.open(path, "wb")
    if not file then
        errors.fail({ what = ("cannot write `%s`"):format(path), why = why:gsub("^.-: ", "") })
    end
    file:write(text)
    file:close()
end

local function path_of(rest, command)
    local path = rest:match("^%s*(.-)%s*$"):gsub("^~/", (os.getenv("HOME") or "~") .. "/")
    if path == "" then
        errors.fail({ what = ("`:%s` needs a file"):format(command), hints = { (":%s session.lua"):format(command) } })
    end
    return path
end

---Runs a script in the session: its locals of the first level become variables.
---@param session bpflua.Session
---@param rest string the path
function M.load(session, rest)
    local path = path_of(rest, "load")
    session:run_file(path, read(path))
end

-- ---------------------------------------------------------------- saving

-- An expression, with an end of its own for a comment.
local function parenthesized(text)
    return "(" .. text .. (text:find("--", 1, true) and "\n)" or ")")
end

-- A statement as a line of a script: what later ones refer to as `_` or `_N` is kept.
local function as_script(entry, later)
    if not entry.is_expression then
        return entry.text
    end
    local name = "_" .. entry.number
    for at, text in ipairs(later) do
        if locals.mentions(text, { [name] = true, _ = at == 1 or nil }) then
            return ("%s = %s\n_ = %s"):format(name, parenthesized(entry.text), name)
        end
    end
    -- A call is a statement by itself.
    return loadstring(" " .. entry.text) and entry.text or "print" .. parenthesized(entry.text)
end

-- Words that a prompt has and a script has not.
local function words(session, text)
    local wanted = {}
    for name, value in pairs(require("bpflua.oneliners")) do
        if locals.mentions(text, { [name] = true }) and session:value(name) == value then
            wanted[#wanted + 1] = name
        end
    end
    table.sort(wanted)
    if #wanted == 0 then
        return ""
    end
    return ("local %s = BPF.%s\n"):format(table.concat(wanted, ", "), table.concat(wanted, ", BPF."))
end

---The session's statements as a script.
---@param session bpflua.Session
---@return string
function M.script(session)
    local lines = {}
    for at, entry in ipairs(session.record) do
        local later = {}
        for i = at + 1, #session.record do
            later[#later + 1] = session.record[i].text
        end
        lines[at] = as_script(entry, later)
    end
    local text = table.concat(lines, "\n") .. "\n"
    local run = subjects.count_probes() > 0 and "BPF.run()\n" or ""
    return "#!/usr/bin/env bpflua\n" .. words(session, text) .. text .. run
end

---Writes the session's statements into a file, as a script that runs.
---@param session bpflua.Session
---@param rest string the path
function M.save(session, rest)
    local path = path_of(rest, "save")
    local count = #session.record
    write(path, M.script(session))
    print(("wrote %d %s to `%s`"):format(count, count == 1 and "statement" or "statements", path))
end

-- ---------------------------------------------------------------- editing

-- A word as the shell takes it.
local function quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function open_editor(path)
    local editor = os.getenv("VISUAL") or os.getenv("EDITOR") or "vi"
    local status, signal = require("bpflua.repl.shell").foreground(editor .. " " .. quoted(path), "taken")
    if signal or status ~= 0 then
        errors.fail({
            what = ("the editor `%s` failed"):format(editor),
            why = signal and "signal " .. signal or "status " .. status,
            hints = { "the environment variable EDITOR names the editor" },
        })
    end
end

-- A text as its user left it in the editor; nil when it is what it was.
local function edited(text, file_ending)
    local path = native.shell.scratch(file_ending, text)
    local ok, failure = pcall(open_editor, path)
    local after = ok and read(path)
    native.shell.remove(path)
    if not ok then
        error(failure, 0)
    end
    return after ~= text and after or nil
end

-- The statement that is meant: a number, or the last one.
local function statement(session, word)
    local number = tonumber(word) or session.number - 1
    local text = session.texts[number]
    if not text then
        errors.fail({ what = word == "" and "there is no statement yet" or ("there is no statement %s"):format(word) })
    end
    return number, text
end

local function edit_statement(session, number, text)
    local after = edited(text, ".lua")
    if after then
        reload.replace(session, number, (after:gsub("%s+$", "")))
    else
        print("nothing was changed")
    end
end

-- The C text of an object, in the statement that made it.
local function edit_object(session, name, object)
    local number = session.makers[object]
    local text = session.texts[number]
    local c_text = rawget(object, "_text")
    local first, last = (text or ""):find(c_text or "\0", 1, true)
    if not first then
        errors.fail({
            what = ("cannot edit the C text of `%s`"):format(name),
            why = number and "it is not written out in the statement that made it" or "no statement of this session made it",
            hints = number and { (":edit %s edits what made it"):format(number) } or nil,
        })
    end
    local after = edited(c_text, ".c")
    if after then
        reload.replace(session, number, text:sub(1, first - 1) .. after .. text:sub(last + 1))
    else
        print("nothing was changed")
    end
end

local function edit_file(session, path)
    local before = io.open(path, "rb")
    local text = before and before:read("*a")
    if before then
        before:close()
    end
    open_editor(path)
    if read(path) == text then
        print("nothing was changed")
    elseif path:match("%.lua$") then
        reload.run_file(session, path, read(path))
    else
        reload.users_of(session, path)
    end
end

---Opens the user's editor on a statement, on the C text of an object, or on a file, and runs what was saved.
---@param session bpflua.Session
---@param rest string a number, a variable, a path, or nothing for the last statement
function M.edit(session, rest)
    local word = rest:match("^%s*(.-)%s*$")
    if word == "" or word:match("^%d+$") then
        return edit_statement(session, statement(session, word))
    end
    local value = word:match("^[%a_][%w_]*$") and session:value(word)
    if type(value) == "table" and rawget(value, "_handle") ~= nil then
        return edit_object(session, word, value)
    end
    edit_file(session, path_of(rest, "edit"))
end

return M
