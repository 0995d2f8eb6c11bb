-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Tables of options: which function they are for, and which names it takes.

local docs = require("bpflua.docs")
local members = require("bpflua.repl.complete_members")

local M = {}

-- `{name?: type, …}` of a parameter's documentation.
local function options_in(line, notes)
    local inside = line:match("^@param%s+%S+%s+.-(%b{})")
    for name, kind in (inside or ""):gmatch("([%a_][%w_]*)%??:%s*([^,{}]*)") do
        notes[name] = kind
    end
end

-- The fields of the classes that are options, once they were read.
local fields_of = {}

local function fields_of_class(class)
    local fields = fields_of[class]
    if fields then
        return fields
    end
    fields = {}
    for _, block in ipairs(docs.classes()) do
        for i = 2, block[1]:match("^@class%s+(%S+)") == class and #block or 0 do
            local name, note = block[i]:match("^@field%s+([%a_][%w_]*)%??%s+(.*)$")
            if name then
                fields[name] = note
            end
        end
    end
    fields_of[class] = fields
    return fields
end

-- Options that have a class of their own: `bpflua.OnelinerOptions`.
local function options_of_class(line, notes)
    local class = line:match("^@param%s+%S+%s+.-(bpflua%.[%w]*Options)") or line:match("^@overload.-(bpflua%.[%w]*Options)")
    if not class then
        return
    end
    for name, note in pairs(fields_of_class(class)) do
        notes[name] = note
    end
end

---The options of a function, from its documentation.
---@param fn function
---@return table<string, string>?
function M.options_of(fn)
    local doc = docs.of(fn)
    local notes = {}
    for _, line in ipairs(doc and doc.lines or {}) do
        options_in(line, notes)
        options_of_class(line, notes)
    end
    return next(notes) and notes or nil
end

-- `BPF{…}` is no function of its own: its options are those that `new` checks.
local function options_of_bpf()
    local notes = {}
    for name, kind in pairs(require("bpflua.source").OPTIONS) do
        notes[name] = kind
    end
    return notes
end

local OPENING, CLOSING = { ["("] = true, ["{"] = true, ["["] = true }, { [")"] = true, ["}"] = true, ["]"] = true }

---The token that opens the bracket which token `stop` is in, and how many commas stand between.
---@param tokens bpflua.Token[]
---@param stop integer
---@return integer?
---@return integer commas
function M.open_bracket(tokens, stop)
    local depth, commas = 0, 0
    for at = stop, 1, -1 do
        local token = tokens[at]
        if token.kind == "symbol" and CLOSING[token.text] then
            depth = depth + 1
        elseif token.kind == "symbol" and OPENING[token.text] then
            if depth == 0 then
                return at, commas
            end
            depth = depth - 1
        elseif token.text == "," and depth == 0 then
            commas = commas + 1
        end
    end
    return nil, 0
end

---The function that is called with the table or list which token `stop` is in, and the token of its name.
---@param place bpflua.Place
---@param stop integer
---@return function|table|nil
---@return integer? name
---@return integer? brace the token of the table's brace, if it is in one
function M.called_here(place, stop)
    local tokens = place.tokens
    local open = M.open_bracket(tokens, stop)
    local brace = open and tokens[open].text == "{" and open or nil
    local before = brace and tokens[brace - 1]
    if brace and before and (before.text == "(" or before.text == ",") then
        open = M.open_bracket(tokens, brace - 1)
    end
    local name = open and open - 1
    if not name or name < 1 or tokens[name].kind ~= "name" then
        return nil
    end
    return members.value_of_chain(place.session, tokens, name), name, brace
end

---The options that may be named at the cursor; nil when it is in no table of options.
---@param place bpflua.Place
---@return table<string, string>?
function M.options_here(place)
    local tokens = place.tokens
    local last = tokens[#tokens]
    local stop = last and last.kind == "name" and last.last == #place.text and #tokens - 1 or #tokens
    local before = tokens[stop]
    if not before or before.text ~= "{" and before.text ~= "," then
        return nil
    end
    local fn, _, brace = M.called_here(place, stop)
    if not brace then
        return nil
    elseif fn == package.loaded.bpf then
        return options_of_bpf()
    end
    return type(fn) == "function" and M.options_of(fn) or nil
end

return M
