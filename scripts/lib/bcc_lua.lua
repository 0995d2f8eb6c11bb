-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What scripts written for bcc-lua find in their globals: additions to `string`, `table` and `os`, `fmt % value`,
-- `class`, `log`. They are there for every script.

local native = require("bpflua.native")

local M = {}

-- ---------------------------------------------------------------- strings

local strings = {}

---Whether a text begins with another.
function strings.starts(text, prefix)
    return text:sub(1, #prefix) == prefix
end

---Whether a text ends with another.
function strings.ends(text, suffix)
    return suffix == "" or text:sub(-#suffix) == suffix
end

---The text with Lua's pattern characters escaped.
function strings.escape(text)
    return (text:gsub("[%-%.%+%[%]%(%)%$%^%%%?%*]", "%%%0"))
end

---The text without as many characters at its start as `prefix` has.
function strings.lstrip(text, prefix)
    return text:sub(#prefix + 1)
end

---The pieces of a text.
---@param text string
---@param separator? string a Lua pattern, default white space
---@param plain? boolean take the separator as it is
---@param most? integer the last piece holds the rest
---@return string[]
function strings.split(text, separator, plain, most)
    separator = separator or "%s+"
    if separator == "" then
        return { text }
    end
    local pieces, from = {}, 1
    while true do
        local first, last = text:find(separator, from, plain)
        if not first or (most and #pieces == most - 1) then
            local rest = text:sub(from)
            if rest ~= "" or first then
                pieces[#pieces + 1] = rest
            end
            -- One separator and nothing else is nothing, as in bcc-lua.
            return first == nil and #pieces == 1 and pieces[1] == "" and {} or pieces
        end
        pieces[#pieces + 1] = text:sub(from, first - 1)
        from = last + 1
    end
end

-- `"%d of %d" % {1, 2}`, `"%s" % name`.
local function apply_format(fmt, values)
    if not values then
        return fmt
    elseif type(values) == "table" then
        return fmt:format(unpack(values))
    end
    return fmt:format(values)
end

-- ---------------------------------------------------------------- tables

local tables = {}

---How many keys a table has.
function tables.count(values)
    local count = 0
    for _ in pairs(values) do
        count = count + 1
    end
    return count
end

---Where a value is in a sorted list; else the place before which it would go, less one.
---@param list any[]
---@param value any
---@param key? fun(element: any): any what the list is sorted by
---@return integer
function tables.bsearch(list, value, key)
    local low, high = 1, #list
    while low <= high do
        local middle = math.floor((low + high) / 2)
        local here = key and key(list[middle]) or list[middle]
        if here == value then
            return middle
        elseif here < value then
            low = middle + 1
        else
            high = middle - 1
        end
    end
    return low - 1
end

---Two lists in one; `first` itself when there is nothing to add.
function tables.join(first, second)
    assert(first, "`table.join` needs a list")
    if not second or #second == 0 then
        return first
    end
    local both = {}
    for _, list in ipairs({ first, second }) do
        for _, value in ipairs(list) do
            both[#both + 1] = value
        end
    end
    return both
end

---The list of what an iterator gives until it gives nil.
---@param iterator fun(): ...
---@param build? fun(values: any[]): any makes an element of one round's values
function tables.build(iterator, build)
    local list = {}
    while true do
        local values = { iterator() }
        if values[1] == nil then
            return list
        elseif build then
            values = build(values)
        end
        list[#list + 1] = values
    end
end

---The values of a table, in no order.
function tables.values(map)
    local list = {}
    for _, value in pairs(map) do
        list[#list + 1] = value
    end
    return list
end

---Iterates over a list of pairs.
function tables.tuples(pairs_of_values)
    local at = 0
    return function()
        at = at + 1
        local pair = pairs_of_values[at]
        if pair then
            return pair[1], pair[2]
        end
    end
end

-- ---------------------------------------------------------------- the system

local system = {}

---Whether a file can be opened.
function system.exists(path)
    local file = io.open(path, "r")
    if file then
        file:close()
    end
    return file ~= nil
end

---What a shell command prints.
---@param command string a format for the values behind it
---@return string
function system.spawn(command, ...)
    local process = assert(io.popen(command:format(...)))
    local output = process:read("*a")
    process:close()
    return output
end

-- ---------------------------------------------------------------- the log

local GREEN, GREY, CLEAR = "\27[32m", "\27[1;30m", "\27[0m"

local called, is_verbose, llvm_debug = native.run.bcc_lua()

local log = { enabled = is_verbose }

---Writes a line to standard error when `log.enabled`, which it is with `-v`.
function log.info(message, ...)
    if not log.enabled then
        return
    end
    local caller = debug.getinfo(2, "Sln")
    local file = caller.short_src:match("([^/]+)$") or caller.short_src
    io.stderr:write(("%s[%s]%s %s[%s:%d]%s %s: %s\n"):format(GREEN, os.date("%H:%M:%S"), CLEAR, GREY, file,
        caller.currentline, CLEAR, caller.name or "?", message:format(...)))
end

local function add(target, functions)
    for name, fn in pairs(functions) do
        target[name] = fn
    end
end

---Puts all of it in its place.
function M.install()
    add(string, strings)
    add(table, tables)
    add(os, system)
    getmetatable("").__mod = apply_format
    rawset(_G, "class", require("bpflua.class"))
    rawset(_G, "log", log)
    -- What bcc-lua's own files look for: the command goes by that name, and `--llvm-debug` was given.
    rawset(_G, "BCC_STANDALONE", called)
    rawset(_G, "LIBBCC_LLVM_DEBUG", llvm_debug and 1 or nil)
end

return M
