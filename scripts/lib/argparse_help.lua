-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- argparse: what elements are called, the usage line and the help text. The layout is argparse 0.5's: people compare.

local M = { Argument = {}, Option = {}, Parser = {} }

local Argument, Option, Parser = M.Argument, M.Option, M.Parser

local USAGE_WIDTH, LABEL_MARGIN, TEXT_MARGIN = 70, 3, 25
-- Of many arguments only so many are written out.
local SHOWN_ARGUMENTS = 3

-- ---------------------------------------------------------------- elements

function Argument:_default_target()
    return self._name
end

-- "--max-size" fills `max_size`; without a long name, "-z" fills `z`.
function Option:_default_target()
    local long
    for _, alias in ipairs(self._aliases) do
        if alias:sub(1, 1) == alias:sub(2, 2) then
            long = alias:sub(3)
            break
        end
    end
    return ((long or self._name:sub(2)):gsub("-", "_"))
end

function Argument:_target_name()
    return self._target or self:_default_target()
end

local function placeholder(self, number)
    local name = self._argname
    if type(name) == "table" then
        return name[number]
    end
    return name or "<" .. self:_default_target() .. ">"
end

local function placeholders(self)
    local list, number = {}, 1
    local has_default = self._default and self._defmode:find("a")
    while number <= math.min(self._minargs, SHOWN_ARGUMENTS) do
        local text = placeholder(self, number)
        list[number] = has_default and "[" .. text .. "]" or text
        number = number + 1
    end
    while number <= math.min(self._maxargs, SHOWN_ARGUMENTS) do
        list[number] = "[" .. placeholder(self, number) .. "]"
        number = number + 1
        if self._maxargs == math.huge then
            break
        end
    end
    if number < self._maxargs then
        list[#list + 1] = "..."
    end
    return list
end

function Argument:_usage()
    local usage = table.concat(placeholders(self), " ")
    if self._default and self._defmode:find("u") then
        if self._maxargs > 1 or (self._minargs == 1 and not self._defmode:find("a")) then
            return "[" .. usage .. "]"
        end
    end
    return usage
end

function Option:_usage()
    local words = placeholders(self)
    table.insert(words, 1, self._name)
    local usage = table.concat(words, " ")
    return (self._mincount == 0 or self._default) and "[" .. usage .. "]" or usage
end

function Argument:_label()
    return self._name
end

function Option:_label()
    local words = placeholders(self)
    local labels = {}
    for i, alias in ipairs(self._aliases) do
        labels[i] = table.concat({ alias, unpack(words) }, " ")
    end
    return table.concat(labels, ", ")
end

function Argument:_text()
    if not self._default or not self._show_default then
        return self._description or ""
    elseif self._description then
        return ("%s (default: %s)"):format(self._description, self._default)
    end
    return ("default: %s"):format(self._default)
end

Option._text, Option._target_name = Argument._text, Argument._target_name

-- Whether an option takes a varying number of arguments, and so cannot stand before others.
local function varies(option)
    return option._maxargs ~= option._minargs
end

-- ---------------------------------------------------------------- usage

function Parser:_label()
    return table.concat(self._aliases, ", ")
end

function Parser:_text()
    return self._description or ""
end

local function full_name(self)
    return self._parent and full_name(self._parent) .. " " .. self._name or self._name
end

-- The mutexes' alternatives: those that may stand first, those that must stand last, and which options they hold.
local function mutex_words(self)
    local first, last, held = {}, {}, {}
    for _, mutex in ipairs(self._mutexes) do
        local words, target = {}, first
        for i, option in ipairs(mutex) do
            words[i] = option:_usage()
            held[option] = true
            target = varies(option) and last or target
        end
        target[#target + 1] = "(" .. table.concat(words, " | ") .. ")"
    end
    return first, last, held
end

local function usage_words(self)
    local words, last, held = mutex_words(self)
    local function add_options(varying)
        for _, option in ipairs(self._options) do
            if not held[option] and varies(option) == varying then
                words[#words + 1] = option:_usage()
            end
        end
    end
    add_options(false)
    for _, argument in ipairs(self._arguments) do
        words[#words + 1] = argument:_usage()
    end
    for _, word in ipairs(last) do
        words[#words + 1] = word
    end
    add_options(true)
    if #self._commands > 0 then
        words[#words + 1] = self._require_command and "<command>" or "[<command>]"
        words[#words + 1] = "..."
    end
    return words
end

---The usage: how the script is called, in lines of 70 characters.
---@return string
function Parser:get_usage()
    if self._usage then
        return self._usage
    end
    local lines = { "Usage: " .. full_name(self) }
    for _, word in ipairs(usage_words(self)) do
        local line = lines[#lines]
        if #line + 1 + #word <= USAGE_WIDTH then
            lines[#lines] = line .. " " .. word
        else
            lines[#lines + 1] = (" "):rep(#"Usage: ") .. word
        end
    end
    return table.concat(lines, "\n")
end

-- ---------------------------------------------------------------- help

local function entry(element)
    local label, text = element:_label(), element:_text()
    local margin = (" "):rep(TEXT_MARGIN)
    text = text:gsub("\n", "\n" .. margin)
    local line = (" "):rep(LABEL_MARGIN) .. label
    if text == "" then
        return line
    elseif #line < TEXT_MARGIN then
        return line .. (" "):rep(TEXT_MARGIN - #line) .. text
    end
    return line .. "\n" .. margin .. text
end

---The help: usage, description, arguments, options, commands.
---@return string
function Parser:get_help()
    if self._help then
        return self._help
    end
    local blocks = { self:get_usage(), self._description }
    local groups = { { "Arguments:", self._arguments }, { "Options:", self._options }, { "Commands:", self._commands } }
    for _, group in ipairs(groups) do
        local lines = { group[1] }
        for _, element in ipairs(group[2]) do
            lines[#lines + 1] = entry(element)
        end
        if #lines > 1 then
            blocks[#blocks + 1] = table.concat(lines, "\n")
        end
    end
    blocks[#blocks + 1] = self._epilog
    return table.concat(blocks, "\n\n")
end

return M
