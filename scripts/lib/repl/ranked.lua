-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The one filter of completions: the names that go on from a word, the best first.

local native = require("bpflua.native")

-- More than this nobody reads.
local LIMIT = 60

---@class bpflua.Candidate
---@field text string
---@field note? string

---The candidates that go on from a word.
---@param word string
---@param notes table<string, string> what each name is
---@return bpflua.Candidate[]
return function(word, notes)
    local names = {}
    for name in pairs(notes) do
        names[#names + 1] = name
    end
    -- The maps of an object come before its many methods.
    table.sort(names, function(a, b)
        local a_is_map, b_is_map = notes[a]:sub(1, 4) == "map:", notes[b]:sub(1, 4) == "map:"
        if a_is_map ~= b_is_map then
            return a_is_map
        end
        return a < b
    end)
    local found = {}
    for i, name in ipairs(native.complete.best(word, names, LIMIT)) do
        found[i] = { text = name, note = notes[name] }
    end
    return found
end
