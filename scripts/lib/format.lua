-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Text of kernel values: `print` and `string.format` take 64-bit cdata and `char[N]` as they come out of events.

local errors = require("bpflua.errors")
local ffi = require("ffi")
local native = require("bpflua.native")

local M = {}

ffi.cdef("int ferror(void *file); void clearerr(void *file); size_t strnlen(const char *text, size_t most);")

local lua_format, lua_tostring, lua_write = string.format, tostring, io.write
local i64, u64 = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
local EPIPE = 32

-- Per C type: how a value of it becomes a Lua value that every directive of string.format takes.
local readers = {}

local function read_text(value)
    -- A char[N] of the kernel's ends at its NUL, or at N when there is none.
    return ffi.string(value, ffi.C.strnlen(value, ffi.sizeof(value)))
end

local function reader_of(ctype)
    local name = lua_tostring(ctype)
    if ctype == i64 or ctype == u64 then
        return false
    end
    -- Plain char only: arrays of u8 are bytes.
    if name:find("^ctype<char %(?&?%)?%[%d+%]>$") or name:find("^ctype<const char %(?&?%)?%[%d+%]>$") then
        return read_text
    end
    return false
end

---A value as Lua text and number functions want it: `char[N]` becomes a string, all else stays.
---@param value any
---@return any
function M.plain(value)
    if type(value) ~= "cdata" then
        return value
    end
    local ctype = ffi.typeof(value)
    local id = tonumber(ctype)
    local reader = readers[id]
    if reader == nil then
        reader = reader_of(ctype)
        readers[id] = reader
    end
    return reader and reader(value) or value
end

local function is_integer(value)
    return type(value) == "cdata" and (ffi.istype(u64, value) or ffi.istype(i64, value))
end

-- Per C type: how many elements a C array has; false for what is none.
local lengths = {}

---How many elements a C array has; false for other values.
---@param value any
---@return integer|false
function M.array_length(value)
    if type(value) ~= "cdata" then
        return false
    end
    local ctype = ffi.typeof(value)
    local id = tonumber(ctype)
    if lengths[id] == nil then
        -- `int [2][3]`, or by reference `int (&)[2][3]`; a pointer to one has its `*` there.
        local before, length = lua_tostring(ctype):match("^ctype<([^%[]*)%[(%d+)%]")
        lengths[id] = before and not before:find("%*%)") and tonumber(length) or false
    end
    return lengths[id]
end

local function array_text(value, length)
    local pieces = {}
    for i = 0, length - 1 do
        local element = M.plain(value[i])
        pieces[i + 1] = type(element) == "string" and lua_format("%q", element) or M.text(element)
    end
    return "{" .. table.concat(pieces, ", ") .. "}"
end

---`tostring` without the type suffix of LuaJIT's 64-bit integers, with the text of a `char[N]`, and with the elements of
---other C arrays.
---@param value any
---@return string
function M.text(value)
    value = M.plain(value)
    if type(value) == "cdata" then
        if ffi.istype(u64, value) then
            return lua_format("%u", ffi.cast(u64, value))
        elseif ffi.istype(i64, value) then
            return lua_format("%d", ffi.cast(i64, value))
        end
    end
    local length = M.array_length(value)
    return length and array_text(value, length) or lua_tostring(value)
end

-- %s of a 64-bit integer shows its digits; the others take it as it is (all 64 bits in %x and %u).
local function argument(directive, value)
    if type(value) ~= "cdata" then
        return value
    end
    if directive == "s" then
        return M.text(value)
    elseif ffi.istype(u64, value) then
        -- An `unsigned long long` is the same type to the FFI, and not to string.format.
        return ffi.cast(u64, value)
    elseif ffi.istype(i64, value) then
        return ffi.cast(i64, value)
    end
    return M.plain(value)
end

-- A format whose arguments are looked at one by one: one with `%p` or without any, one that is given fewer or more than it takes,
-- and those that come after the first MOST_KEPT.
local function format_each(fmt, ...)
    local count = select("#", ...)
    local has_cdata = false
    for i = 1, count do
        if type((select(i, ...))) == "cdata" then
            has_cdata = true
            break
        end
    end
    if not has_cdata then
        return lua_format(fmt, ...)
    end
    local values, at = { ... }, 0
    fmt = fmt:gsub("%%([%-+ #0]*%d*%.?%d*)([%a%%])", function(flags, directive)
        if directive == "%" then
            return nil
        end
        at = at + 1
        if directive == "p" and is_integer(values[at]) then
            -- An address is its bare hexadecimal digits, as in bcc-lua.
            values[at] = lua_format("%x", ffi.cast(u64, values[at]))
            return "%" .. flags .. "s"
        end
        values[at] = argument(directive, values[at])
    end)
    return lua_format(fmt, unpack(values, 1, count))
end

-- Formats that were used, each with a function made for it: its number of arguments is fixed and each goes its own way, so that
-- the JIT compiles it with the handler that calls it. Programs that make formats as they go have no end of them.
local MOST_KEPT = 500

local SOURCE = [[
local sink, convert, fmt = ...
return function(%s)
    return sink(fmt, %s)
end]]
local ARGUMENT = [[type(%s) == %q and %s or convert(%q, %s, %d, fmt)]]
local KNOWN = "[aAcdeEfgGioqsuxX]"

-- The function for a format and how many arguments it takes; false for one that has to be looked at each time. `sink` does what
-- string.format does; `convert(directive, value, number, fmt)` gives what it takes for a value.
local function made_for(fmt, sink, convert)
    local names, arguments = {}, {}
    for directive in fmt:gmatch("%%[%-+ #0]*%d*%.?%d*([%a%%])") do
        if directive ~= "%" and not directive:find(KNOWN) then
            return false, 0
        elseif directive ~= "%" then
            local name, plain = "a" .. #names + 1, (directive == "s" or directive == "q") and "string" or "number"
            names[#names + 1] = name
            arguments[#arguments + 1] = lua_format(ARGUMENT, name, plain, name, directive, name, #names)
        end
    end
    if #names == 0 or #names > 50 then
        return false, 0
    end
    local source = lua_format(SOURCE, table.concat(names, ", "), table.concat(arguments, ", "))
    return loadstring(source, "@scripts/lib/format.lua")(sink, convert, fmt), #names
end

-- A function as string.format is, by one that takes no kernel values; `each` does what has to be looked at each time.
local function formatter(sink, convert, each)
    local kept, kept_count = {}, 0
    local function keep(fmt)
        if kept_count == MOST_KEPT then
            return nil
        end
        local fn, count = made_for(fmt, sink, convert)
        kept_count = kept_count + 1
        kept[fmt] = { fn = fn, count = count }
        return kept[fmt]
    end
    return function(fmt, ...)
        local one = kept[fmt] or type(fmt) == "string" and keep(fmt)
        if one and one.fn and select("#", ...) == one.count then
            return one.fn(...)
        end
        return each(fmt, ...)
    end
end

local format = formatter(lua_format, argument, format_each)

-- What Lua says of an argument, in words without its own functions' names.
local function said_of(raised)
    local number, why = raised:match("bad argument #(%d+) to '[^']*' %((.*)%)")
    if number then
        return ("argument %d: %s"):format(number - 1, why)
    end
    return (raised:gsub("^[^ ]*:%d+: ", ""):gsub(" to '[^']*'", ""))
end

local function fail(fmt, why)
    errors.fail({ what = "cannot print " .. lua_format("%q", fmt):gsub("\\\n", "\\n"), why = why })
end

-- For a directive that takes a number. What is none is told here: to ask for an error inside of compiled code is to leave it.
local function convert_or_fail(directive, value, number, fmt)
    value = argument(directive, value)
    if directive == "s" or directive == "q" or is_integer(value) then
        return value
    end
    local plain = tonumber(value)
    if not plain then
        fail(fmt, ("argument %d: number expected, got %s"):format(number, errors.type_name(value)))
    end
    return plain
end

---A function that formats as `string.format` does here, into a buffer that it empties before. Errors are the script's.
---@param buffer table a `string.buffer`
---@return fun(fmt: string, ...: any)
function M.into(buffer)
    return formatter(function(fmt, ...)
        buffer:reset():putf(fmt, ...)
    end, convert_or_fail, function(fmt, ...)
        local ok, text = pcall(format_each, fmt, ...)
        if not ok then
            fail(fmt, said_of(tostring(text)))
        end
        buffer:reset():put(text)
    end)
end

---Writes to standard output. The end of its reader ends the script, quietly.
---@param text string
function M.write(text)
    local ok, message = io.write(text)
    if not ok then
        errors.fail({ what = "cannot write to standard output", why = message, kind = "machine" })
    end
end

-- As Lua's own, but the end of the reader ends the script. When a line did not go out but fitted the buffer, glibc's
-- fwrite says that all was well; only the stream's error flag, and errno, tell.
local function write(...)
    local ok, message, code = lua_write(...)
    if ok and ffi.C.ferror(io.stdout) ~= 0 then
        code = ffi.errno()
        ok, message = nil, native.kernel.errno_words(code)
        ffi.C.clearerr(io.stdout)
    end
    if not ok and code == EPIPE then
        errors.finish("broken pipe")
    end
    return ok, message, code
end

local function print(...)
    local count = select("#", ...)
    if count == 1 then
        return M.write(M.text((...)) .. "\n")
    end
    local pieces = {}
    for i = 1, count do
        pieces[i] = M.text((select(i, ...)))
    end
    M.write(table.concat(pieces, "\t") .. "\n")
end

---Puts the three in place of Lua's own.
function M.install()
    io.write = write
    string.format = format
    _G.print = print
end

return M
