-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Text on a terminal: how wide it is, cut to a width with a mark, and in columns. What comes from processes may hold
-- any bytes; none of them reaches the terminal as a command.

local utf8 = require("bpflua.utf8")

local M = {}

-- What stands for what was cut off.
M.MARK = "…"
-- Between two columns.
local GAP = 2
-- No column is made narrower than this.
local LEAST = 10

-- Ranges of characters that take two cells, and of those that take none.
local WIDE = {
    { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xa000, 0xa4cf },
    { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
    { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
}
local NARROW = { { 0x0300, 0x036f }, { 0x200b, 0x200d }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f } }
-- Characters that change how the others are shown: control codes, and those that turn the direction of writing.
local HIDDEN = { { 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff } }

local function is_in(ranges, code)
    for _, range in ipairs(ranges) do
        if code >= range[1] and code <= range[2] then
            return true
        end
    end
    return false
end

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\27"] = "\\e" }

local function escaped(bytes)
    return NAMED[bytes] or bytes:gsub(".", function(byte)
        return ("\\x%02x"):format(byte:byte())
    end)
end

---A text that can be shown on one line: control codes and bytes that are no UTF-8 as escapes.
---@param text string
---@return string
function M.printable(text)
    if not text:find("[%z\1-\31\127-\255]") then
        return text
    end
    local pieces = {}
    for character, code in utf8.characters(text) do
        pieces[#pieces + 1] = (not code or is_in(HIDDEN, code)) and escaped(character) or character
    end
    return table.concat(pieces)
end

---The same of a text of several lines, whose ends of lines stay.
---@param text string
---@return string
function M.printable_lines(text)
    return (text:gsub("[^\n\t]+", M.printable))
end

---A text in quotes, as it would be written in a script.
---@param text string
---@return string
function M.quoted(text)
    return '"' .. M.printable((text:gsub('[\\"]', "\\%0"))) .. '"'
end

local function cells_of(code)
    return code and (is_in(WIDE, code) and 2 or is_in(NARROW, code) and 0) or 1
end

---How many cells of the terminal a printable text takes.
---@param text string
---@return integer
function M.width(text)
    if not text:find("[\128-\255]") then
        return #text
    end
    local width = 0
    for _, code in utf8.characters(text) do
        width = width + cells_of(code)
    end
    return width
end

---A printable text, cut to a width with a mark at its end if it is wider.
---@param text string
---@param width integer
---@return string
function M.cut(text, width)
    if M.width(text) <= width then
        return text
    end
    local pieces, taken = {}, 1
    for character, code in utf8.characters(text) do
        taken = taken + cells_of(code)
        if taken > width then
            break
        end
        pieces[#pieces + 1] = character
    end
    return table.concat(pieces) .. M.MARK
end

---A text with spaces up to a width.
---@param text string
---@param width integer
---@param right? boolean at its right end
---@return string
function M.pad(text, width, right)
    local space = (" "):rep(width - M.width(text))
    return right and space .. text or text .. space
end

-- Narrower than this, no text is put beside another.
local LEAST_TEXT = 24

---A text beside a head, on as many lines as a width makes of it, broken between words and each under the first.
---@param head string
---@param at integer the column, from 0, that the text begins at
---@param text string
---@param width integer
---@return string
function M.hanging(head, at, text, width)
    local room = math.max(width - at, LEAST_TEXT)
    local lines, line = {}, ""
    for word in text:gmatch("%S+") do
        if line == "" then
            line = word
        elseif M.width(line) + 1 + M.width(word) <= room then
            line = line .. " " .. word
        else
            lines[#lines + 1], line = line, word
        end
    end
    lines[#lines + 1] = line
    return M.pad(head, at) .. table.concat(lines, "\n" .. (" "):rep(at))
end

---A count with commas between its thousands, for sentences.
---@param count number
---@return string
function M.count(count)
    local digits = ("%.0f"):format(count)
    return (digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

---A count and its noun: "1 element", "2,000 elements".
---@param count number
---@param noun string
---@return string
function M.counted(count, noun)
    return M.count(count) .. " " .. noun .. (count == 1 and "" or "s")
end

-- ---------------------------------------------------------------- columns

---@class ShowColumn
---@field [1] string the heading
---@field right? boolean aligned to the right, as numbers are; such a column is never cut
---@field keep? boolean stays when there is no room for all columns

local function natural_widths(columns, rows)
    local widths = {}
    for i, column in ipairs(columns) do
        widths[i] = M.width(column[1])
        for _, row in ipairs(rows) do
            widths[i] = math.max(widths[i], M.width(row[i]))
        end
    end
    return widths
end

local function total(widths, shown)
    local sum = -GAP
    for _, i in ipairs(shown) do
        sum = sum + widths[i] + GAP
    end
    return sum
end

-- Takes from the widest text, one cell at a time, until all fits or nothing is wide any more.
local function narrow(columns, widths, shown, width)
    local excess = total(widths, shown) - width
    while excess > 0 do
        local widest
        for _, i in ipairs(shown) do
            if not columns[i].right and widths[i] > LEAST and (not widest or widths[i] > widths[widest]) then
                widest = i
            end
        end
        if not widest then
            return false
        end
        widths[widest] = widths[widest] - 1
        excess = excess - 1
    end
    return true
end

-- Which columns fit: those to the right go first, but for what must stay.
local function fit(columns, rows, width)
    local widths, shown, left_out = natural_widths(columns, rows), {}, {}
    for i in ipairs(columns) do
        shown[i] = i
    end
    local natural = { unpack(widths) }
    while not narrow(columns, widths, shown, width) do
        local at = #shown
        while at > 1 and columns[shown[at]].keep do
            at = at - 1
        end
        if at <= 1 then
            break
        end
        table.insert(left_out, 1, columns[table.remove(shown, at)][1])
        widths = { unpack(natural) }
    end
    return widths, shown, left_out
end

local function line_of(columns, cells, widths, shown)
    local pieces = {}
    for n, i in ipairs(shown) do
        local text = columns[i].right and cells[i] or M.cut(cells[i], widths[i])
        pieces[n] = M.pad(text, widths[i], columns[i].right)
    end
    return (table.concat(pieces, (" "):rep(GAP)):gsub("%s+$", ""))
end

---Rows under headings, no wider than a width: text is cut with a mark, and columns for which there is no room are named
---in a last line.
---@param columns ShowColumn[]
---@param rows string[][] printable cells
---@param width integer
---@return string[] lines
function M.grid(columns, rows, width)
    local widths, shown, left_out = fit(columns, rows, width)
    local headings = {}
    for i, column in ipairs(columns) do
        headings[i] = column[1]
    end
    local lines = { line_of(columns, headings, widths, shown) }
    for _, row in ipairs(rows) do
        lines[#lines + 1] = line_of(columns, row, widths, shown)
    end
    if #left_out > 0 then
        lines[#lines + 1] = M.cut(("%s no room for: %s"):format(M.MARK, table.concat(left_out, ", ")), width)
    end
    return lines
end

---Lines with something in front of each.
---@param lines string[]
---@param prefix string
---@return string[]
function M.indent(lines, prefix)
    local indented = {}
    for i, line in ipairs(lines) do
        indented[i] = prefix .. line
    end
    return indented
end

return M
