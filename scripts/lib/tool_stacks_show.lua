-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Stacks in the form that was asked for: for people, folded, as JSON and CSV; a flame graph and a page are written at the end.

local errors = require("bpflua.errors")
local json = require("bpflua.json")
local report = require("bpflua.tool_report")
local tool_hist = require("bpflua.tool_hist")
local tool_stacks = require("bpflua.tool_stacks")

local M = {}

local CSV = { "comm", "pid", "value", "unit", "frames" }

-- CSV has the frames in the order and form of the folded text.
local function frames_folded(stack)
    return (tool_stacks.folded({ frames = stack.frames, target = stack.target, waker = stack.waker, value = "" }):gsub(" $", ""))
end

local function checked(stacks)
    local sorted = {}
    for i, stack in ipairs(stacks) do
        if type(stack) ~= "table" or type(stack.frames) ~= "table" or not tonumber(stack.value) then
            errors.fail({ what = ("stack %d of `stacks` cannot be shown"):format(i), why = "it has no `frames`, a list, or no `value`, a number" })
        end
        sorted[i] = stack
    end
    table.sort(sorted, function(a, b)
        return tonumber(a.value) < tonumber(b.value)
    end)
    return sorted
end

local function print_json(stack, unit)
    local object = { output = "stacks", unit = unit, buckets = stack.slots and tool_hist.buckets(stack.slots) }
    for name, value in pairs(stack) do
        object[name] = name ~= "slots" and value or nil
    end
    -- An empty list would be an object.
    object.frames = #stack.frames > 0 and stack.frames or nil
    io.write(json.encode(object), "\n")
end

local function print_one(outputs, stack, options)
    local form = outputs.form
    if form.folded then
        io.write(tool_stacks.folded(stack), "\n")
    elseif form.json then
        print_json(stack, options.unit)
    elseif form.csv then
        outputs:csv("stacks", CSV, { stack.comm, stack.pid, stack.value, options.unit, frames_folded(stack) })
    elseif not form.flamegraph then
        print(tool_stacks.text(stack, options))
    end
end

---Shows stacks, those that count most last.
---@param outputs ToolOutputs
---@param stacks table[]
---@param options {unit?: string, title?: string, counted?: string, is_snapshot?: boolean}
function M.show(outputs, stacks, options)
    local sorted = checked(stacks)
    if options.title and outputs:is_text() and not outputs.form.flamegraph then
        print(options.title)
    end
    for _, stack in ipairs(sorted) do
        print_one(outputs, stack, options)
    end
    report.add_stacks(outputs, sorted, options)
end

return M
