-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Locals of a prompt's statements: `local x = 1` is to be there in the next statement, and a function that uses `x` shares
-- it. So what is declared outside of every block becomes a variable of the session: the word `local` is blanked, and a
-- declaration without a value gets `=nil`. Lines and columns stay where they are, as errors and C texts speak of them.

local M = {}

-- What opens and closes blocks. `while` and `for` open with their `do`.
local DEPTH = { ["do"] = 1, ["then"] = 0, ["if"] = 1, ["function"] = 1, ["repeat"] = 1, ["end"] = -1, ["until"] = -1 }

---A piece of Lua text.
---@class bpflua.Token
---@field kind "name"|"string"|"number"|"symbol"
---@field text string
---@field first integer where it begins
---@field last integer where it ends

local function end_of_string(text, at, quote)
    local place = at + 1
    while place <= #text do
        local char = text:sub(place, place)
        if char == "\\" then
            place = place + 1
        elseif char == quote or char == "\n" then
            return place
        end
        place = place + 1
    end
    return #text
end

-- Where the long bracket that begins at a place ends; nil when there is none.
local function end_of_long(text, at)
    local level = text:match("^%[(=*)%[", at)
    if not level then
        return nil
    end
    local _, last = text:find("]" .. level .. "]", at, true)
    return last or #text
end

---The tokens of a Lua text, without comments. A text that is no Lua gives some.
---@param text string
---@return bpflua.Token[]
function M.tokens(text)
    local tokens, at = {}, 1
    local function add(kind, last)
        tokens[#tokens + 1] = { kind = kind, text = text:sub(at, last), first = at, last = last }
        at = last + 1
    end
    while true do
        at = text:find("%S", at)
        if not at then
            return tokens
        end
        local char = text:sub(at, at)
        local long = char == "[" and end_of_long(text, at)
        if text:sub(at, at + 1) == "--" then
            at = (end_of_long(text, at + 2) or (text:find("\n", at, true) or #text + 1) - 1) + 1
        elseif long then
            add("string", long)
        elseif char == '"' or char == "'" then
            add("string", end_of_string(text, at, char))
        elseif char:match("[%a_]") then
            add("name", select(2, text:find("^[%w_]+", at)))
        elseif char:match("%d") or text:match("^%.%d", at) then
            add("number", select(2, text:find("^[%w_%.]+", at)))
        else
            add("symbol", at)
        end
    end
end

-- The names of the declaration whose `local` is token `i`, and its last token before the `=` or the end.
local function declared(tokens, i)
    if tokens[i + 1] and tokens[i + 1].text == "function" then
        return { tokens[i + 2] and tokens[i + 2].text }, nil
    end
    local names = {}
    local j = i + 1
    while tokens[j] and tokens[j].kind == "name" do
        names[#names + 1] = tokens[j].text
        if not (tokens[j + 1] and tokens[j + 1].text == ",") then
            break
        end
        j = j + 2
    end
    local has_value = tokens[j + 1] and tokens[j + 1].text == "="
    return names, not has_value and tokens[j] or nil
end

---Makes the locals of the first level variables.
---@param text string
---@return string text
---@return string[] names
function M.rewrite(text)
    local tokens, depth, names, edits = M.tokens(text), 0, {}, {}
    for i, token in ipairs(tokens) do
        if token.kind == "name" then
            depth = depth + (DEPTH[token.text] or 0)
            if depth == 0 and token.text == "local" then
                local found, bare = declared(tokens, i)
                for _, name in ipairs(found) do
                    names[#names + 1] = name
                end
                edits[#edits + 1] = { token.first, token.last, "     " }
                if bare then
                    edits[#edits + 1] = { bare.last + 1, bare.last, "=nil" }
                end
            end
        end
    end
    local parts, at = {}, 1
    for _, edit in ipairs(edits) do
        parts[#parts + 1] = text:sub(at, edit[1] - 1)
        parts[#parts + 1] = edit[3]
        at = edit[2] + 1
    end
    parts[#parts + 1] = text:sub(at)
    return table.concat(parts), names
end

---Whether one of the names is a word of a text.
---@param text string
---@param names table<string, any>
---@return boolean
function M.mentions(text, names)
    for _, token in ipairs(M.tokens(text)) do
        if token.kind == "name" and names[token.text] then
            return true
        end
    end
    return false
end

return M
