-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Histograms for a terminal: as wide as it is, bounds in their unit, and where the middle of the values lies. For the
-- text that scripts parse there is `hist.lua`.

local format = require("bpflua.format")
local hist = require("bpflua.hist")
local text = require("bpflua.show_text")
local units = require("bpflua.show_units")

local M = {}

-- Eighths of a cell.
local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }
local FULL = "█"
-- A bar is no wider than this: longer ones tell no more.
local WIDEST_BAR, NARROWEST_BAR = 60, 8

local function bar(value, most, width)
    local eighths = most > 0 and math.floor(value / most * width * 8 + 0.5) or 0
    if value > 0 and eighths == 0 then
        eighths = 1
    end
    return FULL:rep(math.floor(eighths / 8)) .. (EIGHTHS[eighths % 8] or "")
end

-- A bound without a unit: 1024 is `1K`, as powers of two are read.
local function power_text(exponent)
    local names = { [0] = "", "K", "M", "G", "T", "P", "E" }
    return ("%d%s"):format(2 ^ (exponent % 10), names[math.floor(exponent / 10)])
end

-- The lower bound of a slot, as text: of a log2 histogram, slot 1 is 0 and 1, slot i is from 2^(i-1) on.
local function log2_bound(slot, unit)
    if slot <= 1 then
        return unit and units.text(0, unit) or "0"
    end
    return unit and units.text(2 ^ (slot - 1), unit) or power_text(slot - 1)
end

local function label(kind, slot, unit)
    if kind == "linear" then
        return units.text(slot, unit)
    end
    return ("[%s, %s)"):format(log2_bound(slot, unit), log2_bound(slot + 1, unit))
end

-- The slots that count, from the first to the last, and their sum. Slot 0 of a log2 histogram stands for no value at
-- all; what a text put there is shown with slot 1.
local function counted(kind, slots)
    local first, last, most, sum, counts = nil, nil, 0, 0, {}
    for slot, count in pairs(slots) do
        local at = kind == "log2" and math.max(slot, 1) or slot
        counts[at] = (counts[at] or 0) + count
    end
    for slot, count in pairs(counts) do
        if count > 0 then
            first, last = math.min(first or slot, slot), math.max(last or slot, slot)
            most, sum = math.max(most, counts[slot]), sum + count
        end
    end
    return counts, first, last, most, sum
end

-- The slot below whose end this share of the values lies.
local function slot_of_share(counts, first, last, sum, share)
    local seen = 0
    for slot = first, last do
        seen = seen + (counts[slot] or 0)
        if seen >= sum * share then
            return slot
        end
    end
    return last
end

local function summary(kind, counts, first, last, sum, unit)
    local half, most = slot_of_share(counts, first, last, sum, 0.5), slot_of_share(counts, first, last, sum, 0.99)
    local counted_text = text.counted(sum, "value")
    if kind == "linear" then
        return ("%s: half ≤ %s, 99 %% ≤ %s"):format(counted_text, units.text(half, unit), units.text(most, unit))
    end
    return ("%s: half < %s, 99 %% < %s"):format(counted_text, log2_bound(half + 1, unit), log2_bound(most + 1, unit))
end

---A histogram's lines.
---@param kind "log2"|"linear"
---@param slots table<integer, number> counts by slot
---@param options {width: integer, unit?: string}
---@return string[]
function M.lines(kind, slots, options)
    local counts, first, last, most, sum = counted(kind, slots)
    if not first then
        return { "no values yet" }
    end
    local labels, label_width = {}, 0
    for slot = first, last do
        labels[slot] = label(kind, slot, options.unit)
        label_width = math.max(label_width, text.width(labels[slot]))
    end
    local count_width = #("%.0f"):format(most)
    local bar_width = math.min(WIDEST_BAR, math.max(NARROWEST_BAR, options.width - label_width - count_width - 2))
    local lines = {}
    for slot = first, last do
        local count = counts[slot] or 0
        local line = ("%s %s %s"):format(text.pad(labels[slot], label_width, kind == "linear"),
            text.pad(("%.0f"):format(count), count_width, true), bar(count, most, bar_width))
        lines[#lines + 1] = (line:gsub("%s+$", ""))
    end
    lines[#lines + 1] = text.cut(summary(kind, counts, first, last, sum, options.unit), options.width)
    return lines
end

-- What a section is of: `disk = sda`.
local function heading(section, names)
    if #names == 2 then
        return names[1] .. " = " .. format.text(section.bucket)
    end
    local pieces = {}
    for i = 1, #names - 1 do
        pieces[i] = names[i] .. " = " .. format.text(section.bucket[names[i]])
    end
    return table.concat(pieces, ", ")
end

---The lines of a map that is a histogram: one, or one for each section when its keys are structs; those with most values
---first.
---@param map bpflua.Map
---@param options {width: integer, rows: integer, unit?: string, histogram?: "log2"|"linear"}
---@return string[]
function M.map_lines(map, options)
    local kind = options.histogram or "log2"
    local inner = { width = options.width, unit = options.unit or units.of_name(map.name) }
    local lines, found, names = {}, hist.sections_of(kind, map)
    table.sort(found, function(a, b)
        return a.count > b.count
    end)
    for i, section in ipairs(found) do
        if i > 1 and #lines >= options.rows then
            lines[#lines + 1] = ("%s %s more"):format(text.MARK, text.counted(#found - i + 1, "histogram"))
            break
        elseif names then
            lines[#lines + 1] = text.cut(text.printable(heading(section, names)), options.width)
        end
        for _, line in ipairs(M.lines(kind, section.slots, inner)) do
            lines[#lines + 1] = line
        end
    end
    return #lines > 0 and lines or { "no values yet" }
end

return M
