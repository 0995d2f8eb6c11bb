-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- UTF-8 in bytes that come from anywhere: file names and comms are bytes, not text.

local M = {}

---The length of the UTF-8 character that begins at a place; nil when there is none (overlong forms, surrogates).
---@param text string
---@param at integer from 1
---@return integer? bytes
function M.length(text, at)
    local first, second = text:byte(at, at + 1)
    local length = first < 0x80 and 1 or first >= 0xc2 and first < 0xe0 and 2 or first >= 0xe0 and first < 0xf0 and 3
        or first >= 0xf0 and first < 0xf5 and 4
    if not length or length > 1 and not text:match("^[\128-\191]" .. ("[\128-\191]"):rep(length - 2), at + 1) then
        return nil
    elseif first == 0xe0 and second < 0xa0 or first == 0xed and second > 0x9f or first == 0xf0 and second < 0x90
        or first == 0xf4 and second > 0x8f then
        return nil
    end
    return length
end

-- What is left of a first byte, by the length of its character.
local FIRST_BITS = { 0x80, 0x20, 0x10, 0x08 }

---The number of the character that begins at a place, which must be a valid one.
---@param text string
---@param at integer
---@param length integer of `M.length`
---@return integer
function M.code(text, at, length)
    local code = text:byte(at) % FIRST_BITS[length]
    for i = 1, length - 1 do
        code = code * 64 + text:byte(at + i) % 64
    end
    return code
end

---Goes over a text: what each character is made of, and its number; nil for a byte that is part of none.
---@param text string
---@return fun(): string?, integer?
function M.characters(text)
    local at = 1
    return function()
        if at > #text then
            return nil
        end
        local from, length = at, M.length(text, at)
        at = at + (length or 1)
        return text:sub(from, at - 1), length and M.code(text, from, length)
    end
end

return M
