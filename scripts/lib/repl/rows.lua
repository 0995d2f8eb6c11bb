-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- How commands print lists: rows under headings as wide as the terminal, or the facts behind them as JSON.

local json = require("bpflua.json")
local native = require("bpflua.native")
local text = require("bpflua.show_text")

-- Columns without anything in them tell nothing.
local function used(columns, rows)
    local kept = {}
    for i, column in ipairs(columns) do
        for _, row in ipairs(rows) do
            if row[i] ~= "" then
                kept[#kept + 1] = i
                break
            end
        end
        if column.keep and kept[#kept] ~= i then
            kept[#kept + 1] = i
        end
    end
    return kept
end

local function pick(list, indices)
    local picked = {}
    for n, i in ipairs(indices) do
        picked[n] = type(list[i]) == "string" and text.printable(list[i]) or list[i]
    end
    return picked
end

---Prints rows; a row's `below` are lines under it.
---@param session bpflua.Session
---@param columns ShowColumn[]
---@param rows string[][]
---@param facts table[] what the rows are made of
return function(session, columns, rows, facts)
    if session.is_json then
        print(json.encode(facts))
        return
    end
    local indices, picked = used(columns, rows), {}
    for r, row in ipairs(rows) do
        picked[r] = pick(row, indices)
    end
    local width = (native.prompt.size())
    local lines = text.grid(pick(columns, indices), picked, width)
    for i, line in ipairs(lines) do
        print(line)
        for _, below in ipairs(rows[i - 1] and rows[i - 1].below or {}) do
            print(text.cut("     " .. text.printable(below), width))
        end
    end
end
