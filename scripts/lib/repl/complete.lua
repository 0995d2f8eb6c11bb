-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Completion: how what is typed at the prompt may go on. Nothing that is typed is run: names are looked up, and that is all.
--
-- `complete(session, line, cursor)` finds out where the cursor is: in a command, in a text (a probe, a file, C), behind a dot
-- or colon, in a table of options, or at a plain name. Each kind of place has a function of its own.

local locals = require("bpflua.repl.locals")
local members = require("bpflua.repl.complete_members")
local options = require("bpflua.repl.complete_options")
local ranked = require("bpflua.repl.ranked")
local texts = require("bpflua.repl.complete_texts")

local M = {}

local KEYWORDS = {
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not",
    "or", "repeat", "return", "then", "true", "until", "while",
}

---@class bpflua.Place where the cursor is
---@field session bpflua.Session
---@field text string what stands before the cursor
---@field tokens bpflua.Token[] the tokens of it

-- ---------------------------------------------------------------- commands

local function command_names()
    local notes = {}
    local commands = require("bpflua.repl.commands")
    for name, command in pairs(commands.all) do
        notes[":" .. name] = (command.args and command.args .. "  " or "") .. command.help
    end
    return notes
end

local FILE_COMMANDS = { load = true, save = true, edit = true }

local function in_command(place)
    local head, rest = place.text:match("^%s*():[%a_]*()")
    local word = place.text:sub(head, rest - 1)
    if rest > #place.text then
        return head, ranked(word, command_names())
    end
    local name = word:sub(2)
    local start, argument = place.text:match("()(%S*)$")
    local command = require("bpflua.repl.commands").all[name]
    if command and command.complete then
        return start, ranked(argument, command.complete(place.session))
    elseif FILE_COMMANDS[name] then
        return texts.files(argument, start)
    elseif name == "search" then
        return texts.probe(argument, start)
    end
    -- What stands behind is Lua.
    local offset = place.text:match("^%s*:[%a_]*%s*()") - 1
    local first, found = M.complete(place.session, place.text:sub(offset + 1), #place.text - offset)
    return first + offset + 1, found
end

local function in_shell(place)
    local start, word = place.text:match("()(%S*)$")
    if place.text:match("^%s*!%s*%S*$") and not word:find("/", 1, true) then
        local bang = word:match("^!?()")
        return texts.programs(word:sub(bang), start + bang - 1)
    end
    return texts.files(word, start)
end

-- ---------------------------------------------------------------- names

-- `b.counts:it`: what stands before the last dot or colon, and the word behind it.
local function chain_before(tokens)
    local last = tokens[#tokens]
    local word = last and last.kind == "name" and last or nil
    local at = word and #tokens - 1 or #tokens
    local mark = tokens[at]
    if not mark or mark.kind ~= "symbol" or (mark.text ~= "." and mark.text ~= ":") then
        return nil
    end
    -- Two dots join texts.
    if tokens[at - 1] and tokens[at - 1].text == "." then
        return nil
    end
    return { mark = mark.text, stop = at - 1, word = word and word.text or "", start = word and word.first or nil }
end

local function plain_names(session)
    local notes = members.variables(session)
    for _, word in ipairs(KEYWORDS) do
        notes[word] = notes[word] or ""
    end
    return notes
end

local function at_name(place)
    local word = place.text:match("[%a_][%w_]*$") or ""
    if word == "" and not place.text:match("[%s%(%{,=]$") and place.text ~= "" then
        return #place.text + 1, {}
    end
    local names = options.options_here(place)
    if names then
        local found = ranked(word, names)
        if #found > 0 then
            return #place.text - #word + 1, found
        end
    end
    if word == "" then
        return #place.text + 1, {}
    end
    return #place.text - #word + 1, ranked(word, plain_names(place.session))
end

local function at_member(place, chain)
    local notes = members.of_chain(place, chain)
    return chain.start or #place.text + 1, ranked(chain.word, notes)
end

-- ---------------------------------------------------------------- where the cursor is

-- The text literal that the cursor is in: its opening, and what stands in it. The last token runs to the end when it is open.
local function open_text(text, tokens)
    local last = tokens[#tokens]
    if not last or last.kind ~= "string" or last.last < #text then
        return nil
    end
    local quote = last.text:match("^%[=*%[") or last.text:match("^[\"']")
    local inside = last.text:sub(#quote + 1)
    local closing = quote:sub(1, 1) == "[" and quote:gsub("%[", "]") or quote
    if #last.text > #quote and last.text:sub(-#closing) == closing and not last.text:match("\\.$") then
        return nil
    end
    return { quote = quote, inside = inside, first = last.first + #quote, is_long = #quote > 1 }
end

local function find(place)
    if place.text:match("^%s*:") then
        return in_command(place)
    elseif place.text:match("^%s*!") then
        return in_shell(place)
    end
    local literal = open_text(place.text, place.tokens)
    if literal then
        return texts.inside(place, literal)
    end
    local chain = chain_before(place.tokens)
    if chain then
        return at_member(place, chain)
    end
    return at_name(place)
end

---How the text before the cursor may go on.
---@param session bpflua.Session
---@param line string all lines of the statement
---@param cursor integer bytes before the cursor
---@return integer start the byte, from 0, that the candidates begin at
---@return bpflua.Candidate[]
function M.complete(session, line, cursor)
    local text = line:sub(1, cursor)
    -- C texts are completed with what stands behind the cursor as well.
    local place = { session = session, text = text, after = line:sub(cursor + 1), tokens = locals.tokens(text) }
    local start, found = find(place)
    return (start or #text + 1) - 1, found or {}
end

return M
