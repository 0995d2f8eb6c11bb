-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What values are, in few words: the notes beside completions.

local docs = require("bpflua.docs")

local M = {}

-- The first sentence of a function's documentation.
local function summary(doc)
    local words = {}
    for _, line in ipairs(doc and doc.lines or {}) do
        if line:match("^@") then
            break
        end
        words[#words + 1] = line
    end
    local text = table.concat(words, " ")
    return text:match("^(.-[%.:])%s") or text
end

-- What was made of functions before: a class has a hundred.
local known = setmetatable({}, { __mode = "k" })

---What a function takes, and what it does.
---@param fn function
---@return string
function M.of_function(fn)
    local note = known[fn]
    if not note then
        local doc = docs.of(fn)
        note = doc and ("(%s)  %s"):format(table.concat(doc.params, ", "), summary(doc)) or "function"
        known[fn] = note
    end
    return note
end

---Whether a value is a map.
---@param value any
---@return boolean
function M.is_map(value)
    return type(value) == "table" and rawget(value, "key_label") ~= nil and rawget(value, "kind") ~= nil
end

---Whether a value is a BPF object.
---@param value any
---@return boolean
function M.is_object(value)
    return type(value) == "table" and rawget(value, "_maps") ~= nil and rawget(value, "_handle") ~= nil
end

---What a map is made of.
---@param map bpflua.Map
---@return string
function M.of_map(map)
    local words = { map.kind }
    for _, part in ipairs({ "key_type", "value_type", "event_type" }) do
        local ctype = rawget(map, part)
        if ctype then
            words[#words + 1] = part:match("^%l+") .. " " .. tostring(ctype.name or ctype.decl or "")
        end
    end
    return table.concat(words, ", ")
end

local function one_line(text)
    text = text:match("^[^\n]*")
    return #text > 40 and text:sub(1, 39) .. "…" or text
end

---What a value is, in few words.
---@param value any
---@return string
function M.of(value)
    if type(value) == "function" then
        return M.of_function(value)
    elseif M.is_map(value) then
        return "map: " .. M.of_map(value)
    elseif type(value) == "table" then
        return M.is_object(value) and "BPF object" or getmetatable(value) and "object" or "table"
    elseif type(value) == "string" then
        return one_line(("%q"):format(value))
    end
    local ok, text = pcall(tostring, value)
    return ok and type(value) ~= "userdata" and one_line(text) or type(value)
end

return M
