-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Histograms as text, in the layout that people parse: byte for byte the one of bcc.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local json = require("bpflua.json")

local M = {}

-- Slots of a log2 histogram (a u64 has 64 powers of two, and zero), and of a linear one.
local LOG2_SLOTS, LINEAR_SLOTS = 65, 1025
local WIDTH = 40

---@class bpflua.HistOptions
---@field val_type? string what the numbers are, for the header (default "value")
---@field section_header? string what a section is, for a struct key (default "Bucket ptr")
---@field section_print_fn? fun(bucket: any): string the section's text
---@field bucket_fn? fun(bucket: any): any the section that a bucket belongs to
---@field bucket_sort_fn? fun(buckets: any[]): any[] the order of the sections
---@field strip_leading_zero? boolean leave out the empty rows before the first that counts

M.OPTIONS = {
    val_type = "string",
    section_header = "string",
    section_print_fn = "function",
    bucket_fn = "function",
    bucket_sort_fn = "function",
    strip_leading_zero = "boolean",
}

local function highest(slots, count)
    local last, most = -1, 0
    for i = 0, count - 1 do
        local value = slots[i] or 0
        if value > 0 then
            last = i
        end
        if value > most then
            most = value
        end
    end
    return last, most
end

local function stars(value, most, width)
    return ("*"):rep(math.floor(width * value / most))
end

-- The digits of 2^exponent - less, exactly, up to 2^64 - 1.
local function power(exponent, less)
    if exponent < 53 then
        return ("%d"):format(2 ^ exponent - less)
    end
    local value = exponent == 64 and 0ULL or bit.lshift(1ULL, exponent)
    return format.text(value - less)
end

local function log2_row(slot)
    local low = slot == 1 and "0" or power(slot - 1, 0)
    return low, power(slot, 1)
end

---The text of a log2 histogram.
---@param slots table<integer, number> counts by slot, from 0; slot i counts values of i significant bits
---@param val_type? string
---@param strip? boolean leave out empty rows at the start
---@param with_below? boolean slot 0, in which no value of a log2 histogram is, counts those below zero; it has a row then
---@return string
function M.log2_text(slots, val_type, strip, with_below)
    local last, most = highest(slots, LOG2_SLOTS)
    local below = with_below and (slots[0] or 0) > 0
    local narrow = last <= 32
    local width = narrow and WIDTH or WIDTH / 2
    local head = narrow and "     %-19s : count     distribution\n" or "               %-29s : count     distribution\n"
    local row = narrow and "%10s -> %-10s : %-8d |%-40s|\n" or "%20s -> %-20s : %-8d |%-20s|\n"
    local lines = {}
    if last > 0 or below then
        lines[1] = head:format(val_type or "value")
    end
    if below then
        local label = narrow and "%24s" or "%44s"
        local text = (label .. " : %-8d |" .. (narrow and "%-40s|\n" or "%-20s|\n"))
        lines[2] = text:format("below 0", slots[0], stars(slots[0], most, width))
    end
    for slot = 1, last do
        local value = slots[slot] or 0
        strip = strip and value == 0
        if not strip then
            local low, high = log2_row(slot)
            lines[#lines + 1] = row:format(low, high, value, stars(value, most, width))
        end
    end
    return table.concat(lines)
end

---The text of a linear histogram.
---@param slots table<integer, number> counts by slot, from 0
---@param val_type? string
---@param strip? boolean leave out empty rows at the start
---@return string
function M.linear_text(slots, val_type, strip)
    local last, most = highest(slots, LINEAR_SLOTS)
    local lines = {}
    if last >= 0 then
        lines[1] = ("     %-13s : count     distribution\n"):format(val_type or "value")
    end
    for slot = 0, last do
        local value = slots[slot] or 0
        strip = strip and value == 0
        if not strip then
            local bar = stars(value, most, WIDTH)
            lines[#lines + 1] = ("        %-10d : %-8d |%-40s|\n"):format(slot, value, bar)
        end
    end
    return table.concat(lines)
end

---A log2 histogram as a line of JSON. It is spaced as Python's `json.dumps` does; bcc itself prints Python.
---@param slots table<integer, number>
---@param val_type? string
---@param section? {header: string, text: any}
---@return string
function M.json_text(slots, val_type, section)
    local last, rows = highest(slots, LOG2_SLOTS), {}
    for slot = 1, last do
        local low, high = log2_row(slot)
        rows[slot] = ('{"interval-start": %s, "interval-end": %s, "count": %.0f}'):format(low, high, slots[slot] or 0)
    end
    local bucket = section and (", %s: %s"):format(json.encode(section.header), json.encode(section.text)) or ""
    return ('{"ts": "%s", "val_type": %s, "data": [%s]%s}\n'):format(os.date("%Y-%m-%d %H:%M:%S"),
        json.encode(val_type or "value"), table.concat(rows, ", "), bucket)
end

-- A section's histogram under its heading.
local function with_heading(text)
    return function(slots, options, section)
        local heading = section and ("\n%s = %s\n"):format(section.header, format.text(section.text)) or ""
        return heading .. text(slots, options.val_type, options.strip_leading_zero)
    end
end

local KINDS = {
    log2 = { text = with_heading(M.log2_text), slots = LOG2_SLOTS },
    linear = { text = with_heading(M.linear_text), slots = LINEAR_SLOTS },
    json = {
        text = function(slots, options, section)
            return M.json_text(slots, options.val_type, section)
        end,
        slots = LOG2_SLOTS,
    },
}

local function checked_slot(kind, slot, name)
    local number = tonumber(slot)
    if not number or number < 0 or number >= kind.slots then
        errors.fail({
            what = ("cannot print `%s` as a histogram"):format(name),
            why = number and ("slot %s is outside of 0 to %d"):format(format.text(slot), kind.slots - 1)
                or "the last member of its keys is no number",
        })
    end
    return number
end

-- A number that fits a Lua number exactly; counts above 2^53 do not happen in a human's life.
local function count_of(value)
    return type(value) == "table" and tonumber(value:sum()) or tonumber(value)
end

-- The key's members before the last are the section, the last is the slot.
local function split_key(key, names)
    local slot = key[names[#names]]
    if #names == 2 then
        return format.plain(key[names[1]]), slot
    end
    local bucket, id = {}, {}
    for i = 1, #names - 1 do
        bucket[names[i]] = format.plain(key[names[i]])
        id[i] = format.text(bucket[names[i]])
    end
    return bucket, slot, table.concat(id, ", ")
end

local function sections(kind, map, names, options)
    local order, by_id = {}, {}
    for key, value in map:pairs() do
        local bucket, slot, id = split_key(key, names)
        if options.bucket_fn then
            bucket, id = options.bucket_fn(bucket), nil
        end
        id = id or format.text(bucket)
        local section = by_id[id]
        if not section then
            section = { bucket = bucket, id = id, slots = {} }
            by_id[id] = section
            order[#order + 1] = section
        end
        slot = checked_slot(kind, slot, map.name)
        section.slots[slot] = (section.slots[slot] or 0) + count_of(value)
    end
    return order, by_id
end

local function in_users_order(order, by_id, sort)
    local buckets = {}
    for i, section in ipairs(order) do
        buckets[i] = section.bucket
    end
    local sorted = {}
    for i, bucket in ipairs(sort(buckets) or buckets) do
        sorted[i] = by_id[format.text(bucket)]
        for _, section in ipairs(order) do
            if section.bucket == bucket then
                sorted[i] = section
            end
        end
    end
    return sorted
end

local function sections_text(kind, map, names, options)
    local order, by_id = sections(kind, map, names, options)
    if options.bucket_sort_fn then
        order = in_users_order(order, by_id, options.bucket_sort_fn)
    end
    local pieces = {}
    for _, section in ipairs(order) do
        local shown = options.section_print_fn and options.section_print_fn(section.bucket) or section.id
        local heading = { header = options.section_header or "Bucket ptr", text = shown }
        pieces[#pieces + 1] = kind.text(section.slots, options, heading)
    end
    return table.concat(pieces)
end

local function plain_slots(kind, map)
    local slots = {}
    for key, value in map:pairs() do
        slots[checked_slot(kind, key, map.name)] = count_of(value)
    end
    return slots
end

---The text of a map's histogram: one, or one per section when the key is a struct.
---@param kind "log2"|"linear"|"json"
---@param map bpflua.Map keys are slots, or structs whose last member is the slot
---@param options bpflua.HistOptions
---@return string
function M.map_text(kind, map, options)
    kind = KINDS[kind]
    local names = map.key_type:member_names()
    if names then
        return sections_text(kind, map, names, options)
    end
    return kind.text(plain_slots(kind, map), options)
end

---The histograms of a map as they are: one, or one per section when the key is a struct.
---@param kind "log2"|"linear"
---@param map bpflua.Map
---@return {bucket: any, slots: table<integer, number>, count: number}[] `bucket`: the section's member, or its members by
---name; nil when there are no sections
---@return string[]? names of the members that make the sections, and of the slot
function M.sections_of(kind, map)
    local names = map.key_type:member_names()
    local found = names and sections(KINDS[kind], map, names, {}) or { { slots = plain_slots(KINDS[kind], map) } }
    for _, section in ipairs(found) do
        section.count = 0
        for _, count in pairs(section.slots) do
            section.count = section.count + count
        end
    end
    return found, names
end

---The option table of a call in bcc's order of arguments, or of one that passes a table.
---@return bpflua.HistOptions
function M.options(of, first, section_header, section_print_fn, bucket_fn, strip_leading_zero, bucket_sort_fn)
    local given = first
    if type(first) ~= "table" then
        given = {
            val_type = first,
            section_header = section_header,
            section_print_fn = section_print_fn,
            bucket_fn = bucket_fn,
            strip_leading_zero = strip_leading_zero,
            bucket_sort_fn = bucket_sort_fn,
        }
    end
    return errors.options(of, given, M.OPTIONS)
end

return M
