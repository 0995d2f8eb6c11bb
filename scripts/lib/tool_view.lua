-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Views of a tool: on a terminal the last one in the place of the one before, elsewhere one below the other.

local native = require("bpflua.native")
local report = require("bpflua.tool_report")

local M = {}

-- The cursor goes to the top, and what was there is taken away.
local CLEAR = "\27[H\27[2J"
-- Below the rows: a line of what was left out, and the one that the cursor is in.
local LINES_BELOW = 2

-- How many rows there is room for.
local function room(options)
    local _, lines = native.terminal.size()
    local above = 1 + (options.title and select(2, options.title:gsub("\n", "")) + 1 or 0)
    return math.max(lines - above - LINES_BELOW, 1)
end

local function draw(output, rows, options, most)
    if options.title then
        print(options.title)
    end
    output._has_header = false
    output:header()
    for i = 1, math.min(#rows, most) do
        output:_print(rows[i])
    end
    if #rows > most then
        print(("… %d more rows"):format(#rows - most))
    end
end

-- All of it reaches the terminal at once: a screen that is empty for a moment flickers.
local function redraw(output, rows, options)
    io.stdout:flush()
    io.stdout:setvbuf("full", 65536)
    io.write(CLEAR)
    draw(output, rows, options, room(options))
    io.stdout:flush()
    io.stdout:setvbuf("line")
end

---Shows rows as a whole.
---@param outputs ToolOutputs
---@param rows table<string, any>[]
---@param options {title?: string, output?: string, keep?: boolean}
function M.show(outputs, rows, options)
    local output = outputs:of(options.output)
    for _, row in ipairs(rows) do
        output:_check(row)
    end
    report.add_view(outputs, output, rows, options.title)
    if not outputs:is_text() then
        output:header()
        for _, row in ipairs(rows) do
            output:_print(row)
        end
    elseif not options.keep and native.terminal.is_output() then
        redraw(output, rows, options)
    else
        draw(output, rows, options, math.huge)
        print("")
    end
end

return M
