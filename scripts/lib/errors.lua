-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Errors as values: raised with the line of the user's script, unknown names answered with the nearest known ones.
-- The host loads this file first and hands it the functions behind it; everything else gets it by require.

local native = ...

local M = {}

-- More known names than this are no help in a message; the nearest are.
local MOST_LISTED = 24

-- The functions that the user's own words at the prompt begin at: what called them is no place of theirs.
local boundaries = {}

---Makes a function one that errors name no line outside of.
---@param fn function
function M.begin_at(fn)
    boundaries[fn] = true
end

local function is_users(frame)
    return frame.what ~= "C" and frame.currentline > 0 and not native.is_embedded(frame.source)
end

---How many of the user's lines on the stack are outside of what errors name lines within: where a prompt was opened.
---@return integer
function M.lines_outside()
    local level, is_outside, count = 2, false, 0
    while true do
        local frame = debug.getinfo(level, "Slf")
        if not frame then
            return count
        end
        is_outside = is_outside or boundaries[frame.func] ~= nil
        count = count + (is_outside and is_users(frame) and 1 or 0)
        level = level + 1
    end
end

---The innermost stack frame that is not part of bpflua: the line of the user's script.
---@param level? integer stack level to begin at, counted from the caller (default 1)
---@return string? file name as Lua shows it
---@return integer? line
---@return string? source the chunk name, with its first character
function M.user_frame(level)
    level = (level or 1) + 1
    while true do
        local frame = debug.getinfo(level, "Slf")
        if not frame or boundaries[frame.func] then
            return nil
        end
        if is_users(frame) then
            return frame.source:gsub("^[@=]", ""):match("^[^\n]*"), frame.currentline, frame.source
        end
        level = level + 1
    end
end

---Raises an error value with the line of the user's script added.
---@param err userdata an error value of the host
function M.raise(err)
    local file, line = M.user_frame(2)
    if file then
        native.locate(err, file, line)
    end
    error(err, 0)
end

---Raises an error made of its parts.
---@param parts {what: string, why: string?, kind: ("script"|"machine"|"bug")?, errno: integer?, evidence: string[]?, hints: string[]?}
function M.fail(parts)
    M.raise(native.new(parts))
end

---Turns a host function that returns `true, results…` or `false, error` into one that returns or raises.
---@param raw function
---@return function
function M.wrap(raw)
    local function finish(ok, ...)
        if ok then
            return ...
        end
        M.raise((...))
    end
    return function(...)
        return finish(raw(...))
    end
end

---Whether a caught value is an error of bpflua, with `what`, `why`, `errno`, `hints`, `log` as fields.
---@param value any
---@return boolean
function M.is_error(value)
    return native.is_error(value)
end

---Whether a chunk name is that of bpflua's own Lua.
---@param source string
---@return boolean
M.is_embedded = native.is_embedded

---The names most like one that does not exist, the nearest first.
---@param name string
---@param known string[]
---@return string[]
M.nearest = native.nearest

---Ends the script's run from any depth, without an error.
---@param how "broken pipe"|"checked"
function M.finish(how)
    error(setmetatable({ end_of_run = how }, { __tostring = function() return how end }), 0)
end

---How a raised value ends the run when it is no error.
---@param raised any
---@return string?
function M.end_of_run(raised)
    if type(raised) == "table" then
        return rawget(raised, "end_of_run")
    end
    -- What the Ctrl-C hook raises; bcc-lua's scripts know this text. A function of the host that it reaches wraps it.
    local text = type(raised) == "userdata" and tostring(raised):match("^[^\n]*") or raised
    return (text == "interrupted!" or text == "runtime error: interrupted!") and "interrupted" or nil
end

local function sorted_names(known)
    local names = {}
    for name in pairs(known) do
        if type(name) == "string" and name:sub(1, 1) ~= "_" then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

---Raises the error for a name that does not exist, with the nearest that does.
---@param what string the headline, with the name in it
---@param name string the unknown name
---@param known table<string, any> the known names as keys
---@param of string what the known names are, as in "options of attach_kprobe"
---@param others? table<string, any> more known names, too many to list
function M.unknown(what, name, known, of, others)
    local names = sorted_names(known)
    local near = sorted_names(others or {})
    for _, one in ipairs(names) do
        near[#near + 1] = one
    end
    near = native.nearest(tostring(name), near)
    local parts = { what = what, evidence = {}, hints = {} }
    if #near > 0 then
        parts.hints[1] = "did you mean `" .. table.concat(near, "` or `") .. "`?"
    end
    if #names == 0 then
        parts.evidence[1] = "there are no " .. of
    elseif #names <= MOST_LISTED then
        parts.evidence[1] = "the " .. of .. " are " .. table.concat(names, ", ")
    end
    M.fail(parts)
end

---The type of a value as an error names it; cdata by its C type.
---@param value any
---@return string
function M.type_name(value)
    if type(value) == "cdata" then
        return (tostring(require("ffi").typeof(value)):gsub("^ctype<(.*)>$", "%1"))
    end
    return type(value)
end

-- Kinds of numbers beyond Lua's types: the least, the greatest, in words. No fractions where the words say "whole".
local NUMBERS = {
    integer = { -2 ^ 53, 2 ^ 53, "a whole number" },
    natural = { 0, 2 ^ 53, "a whole number from 0" },
    u8 = { 0, 255, "a whole number from 0 to 255" },
    i32 = { -2 ^ 31, 2 ^ 31 - 1, "a whole number from -2147483648 to 2147483647" },
    u32 = { 0, 2 ^ 32 - 1, "a whole number from 0 to 4294967295" },
    seconds = { 0, math.huge, "a number of seconds from 0", fractions = true },
    -- Not a number is none.
    number = { -math.huge, math.huge, "a number", fractions = true },
}

-- The kinds that a text such as "string|u32!" names, taken apart once.
local kinds_of = setmetatable({}, {
    __index = function(all, wanted)
        local kinds = { is_required = wanted:sub(-1) == "!" }
        for kind in wanted:gsub("!$", ""):gmatch("[^|]+") do
            kinds[#kinds + 1] = kind
        end
        all[wanted] = kinds
        return kinds
    end,
})

local function fits(value, kinds)
    for i = 1, #kinds do
        local kind = kinds[i]
        local range = NUMBERS[kind]
        if kind == "any" or type(value) == kind and not range then
            return true
        elseif range and type(value) == "number" and value >= range[1] and value <= range[2]
            and (range.fractions or value % 1 == 0) then
            return true
        end
    end
    return false
end

-- The first carries the article: "a string or number", "a whole number from 0".
local function words_of(kinds)
    local words = {}
    for i, kind in ipairs(kinds) do
        local word = NUMBERS[kind] and NUMBERS[kind][3] or kind == "cdata" and "cdata" or "a " .. kind
        words[i] = i > 1 and word:gsub("^a (%l+)$", "%1") or word
    end
    return table.concat(words, " or ")
end

-- A number by itself where one is due, as its type is not what is wrong.
local function described(value, kinds)
    for _, kind in ipairs(kinds) do
        if type(value) == "number" and NUMBERS[kind] then
            return ("%.14g"):format(value)
        end
    end
    return "a " .. M.type_name(value)
end

local function misfit(place, value, kinds)
    local hints
    if type(value) == "cdata" and tonumber(value) then
        hints = { "`tonumber` makes a number of it" }
    end
    M.fail({ what = ("%s is %s"):format(place, described(value, kinds)), why = "it must be " .. words_of(kinds), hints = hints })
end

---Checks an option table: every name known, every value of the right kind. Raises otherwise.
---@param of string the method's name, for the error
---@param given any what the caller passed
---@param spec table<string, string> option name to kinds, apart by `|`: Lua types, `any`, `integer`, `natural`, `u8`, `i32`, `u32`,
---`seconds`; a `!` after them: required
---@return table given, never nil
function M.options(of, given, spec)
    if given == nil then
        given = {}
    elseif type(given) ~= "table" then
        M.fail({ what = "cannot call `" .. of .. "`", why = "it takes a table of options, not a " .. M.type_name(given) })
    end
    for name, value in pairs(given) do
        local wanted = spec[name]
        if not wanted then
            M.unknown(("unknown option `%s` of `%s`"):format(tostring(name), of), name, spec, "options")
        end
        if not fits(value, kinds_of[wanted]) then
            misfit(("option `%s` of `%s`"):format(name, of), value, kinds_of[wanted])
        end
    end
    local missing = {}
    for name, wanted in pairs(spec) do
        if wanted:sub(-1) == "!" and given[name] == nil then
            missing[#missing + 1] = name
        end
    end
    if #missing > 0 then
        table.sort(missing)
        M.fail({ what = ("`%s` needs the option `%s`"):format(of, table.concat(missing, "` and the option `")) })
    end
    return given
end

---Checks arguments that are told apart by their place. Raises when one is not of its kind.
---@param of string the function's name, for the error
---@param spec string[] name and kinds of each, as for `options`: `{"name", "string!", "pid", "i32"}`
---@param ... any the arguments
function M.arguments(of, spec, ...)
    for i = 1, #spec, 2 do
        local name, kinds, value = spec[i], kinds_of[spec[i + 1]], (select((i + 1) / 2, ...))
        if value == nil and kinds.is_required then
            M.fail({ what = ("`%s` needs the argument `%s`"):format(of, name), why = "it must be " .. words_of(kinds) })
        elseif value ~= nil and not fits(value, kinds) then
            misfit(("argument `%s` of `%s`"):format(name, of), value, kinds)
        end
    end
end

---A number that may be cdata, as 64-bit members of events are.
---@param of string the function's name, for the error
---@param name string the argument's
---@param value any
---@param kind? string of numbers, as for `options` (default `integer`)
---@return number
function M.number(of, name, value, kind)
    local number = type(value) == "cdata" and tonumber(value) or value
    if type(number) ~= "number" or kind or number % 1 ~= 0 then
        M.arguments(of, { name, (kind or "integer") .. "!" }, number)
    end
    return number
end

---The same option table without the need for a function: a detach without one is for all.
---@param spec table<string, string> kinds by option name, as `M.options` takes them
---@return table<string, string>
function M.optional_function(spec)
    return require("bpflua.tables").copy(spec, { fn_name = "string" })
end

return M
