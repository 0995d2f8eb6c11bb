-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Histograms of a tool: bars for people; JSON, CSV and a page have the buckets. All of them are made of one reading of the map.

local format = require("bpflua.format")
local hist = require("bpflua.hist")
local json = require("bpflua.json")
local report = require("bpflua.tool_report")

local M = {}

local CSV = { "title", "section", "unit", "low", "high", "count" }

-- The sections in the order of their keys: `{name = text or nil, key = its number, if it is one, slots = {[slot] = count}}`.
local function sections(kind, map, section_fn)
    local list = {}
    for _, section in ipairs((hist.sections_of(kind, map))) do
        local name
        if section.bucket ~= nil then
            name = format.text(section_fn and section_fn(section.bucket) or section.id or section.bucket)
        end
        if section.count > 0 then
            local key = section.bucket ~= nil and type(section.bucket) ~= "table" and tonumber(section.bucket) or nil
            list[#list + 1] = { name = name, key = key, slots = section.slots }
        end
    end
    table.sort(list, function(a, b)
        if a.key and b.key and a.key ~= b.key then
            return a.key < b.key
        end
        return (a.name or "") < (b.name or "")
    end)
    return list
end

-- What a slot stands for. Slot i of powers of two counts values of i significant bits, the first one those below 2.
local function bounds(slot, linear)
    if linear then
        return slot, slot
    end
    return slot <= 1 and 0 or 2 ^ (slot - 1), 2 ^ slot - 1
end

---The buckets of a histogram, from the first that counts to the last, without a gap.
---@param slots table<integer, number>
---@param linear? boolean slots count themselves, not powers of two
---@return {low: number, high: number, count: number}[]
function M.buckets(slots, linear)
    local first, last = math.huge, -1
    for slot, count in pairs(slots) do
        if count > 0 then
            first, last = math.min(first, slot), math.max(last, slot)
        end
    end
    local list = {}
    for slot = first, last do
        local low, high = bounds(slot, linear)
        list[#list + 1] = { low = low, high = high, count = slots[slot] or 0 }
    end
    return list
end

local function print_text(list, options)
    if options.title then
        print(options.title)
    end
    local text = options.linear and hist.linear_text or hist.log2_text
    for _, section in ipairs(list) do
        if section.name then
            io.write(("\n%s = %s\n"):format(options.section or "section", report.printable(section.name)))
        end
        io.write(text(section.slots, options.unit or "value"))
    end
end

local function print_csv(outputs, section, options)
    for _, bucket in ipairs(M.buckets(section.slots, options.linear)) do
        outputs:csv("histogram", CSV, { options.title, section.name, options.unit, bucket.low, bucket.high, bucket.count })
    end
end

local function data_of(section, options)
    return {
        title = options.title,
        section = section.name,
        key = section.key,
        unit = options.unit,
        buckets = M.buckets(section.slots, options.linear),
    }
end

---Shows the histograms of a map.
---@param outputs ToolOutputs
---@param map bpflua.Map
---@param options table as `tool:hist` takes them
function M.show(outputs, map, options)
    local list = sections(options.linear and "linear" or "log2", map, options.section_fn)
    for _, section in ipairs(list) do
        local data = data_of(section, options)
        data.section = section.name and ("%s = %s"):format(options.section or "section", section.name)
        report.add_hist(outputs, data)
        if outputs.form.json then
            io.write(json.encode({ histogram = data_of(section, options) }), "\n")
        elseif outputs.form.csv then
            print_csv(outputs, section, options)
        end
    end
    if outputs:is_text() then
        print_text(list, options)
    end
    if options.clear then
        map:clear()
    end
end

return M
