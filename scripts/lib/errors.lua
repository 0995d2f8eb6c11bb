-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Errors as values: raised with the line of the user's script, unknown names answered with the nearest known ones.
-- The host loads this file first and hands it the functions behind it; everything else gets it by require.

local native = ...

local M = {}

-- More known names than this are no help in a message; the nearest are.
local MOST_LISTED = 24

---The innermost stack frame that is not part of bpflua: the line of the user's script.
---@param level? integer stack level to begin at, counted from the caller (default 1)
---@return string? file name as Lua shows it
---@return integer? line
---@return string? source the chunk name, with its first character
function M.user_frame(level)
    level = (level or 1) + 1
    while true do
        local frame = debug.getinfo(level, "Sl")
        if not frame then
            return nil
        end
        if frame.what ~= "C" and frame.currentline > 0 and not native.is_embedded(frame.source) then
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
    -- What the Ctrl-C hook raises; bcc-lua's scripts know this text.
    return raised == "interrupted!" and "interrupted" or nil
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

---Checks an option table: every name known, every value of the right type. Raises otherwise.
---@param of string the method's name, for the error
---@param given any what the caller passed
---@param spec table<string, string> option name to Lua type; several types apart by `|`; a `!` after it: required
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
        wanted = wanted:gsub("!$", "")
        local ok = wanted == "any"
        for kind in wanted:gmatch("[^|]+") do
            ok = ok or type(value) == kind
        end
        if not ok then
            M.fail({
                what = ("option `%s` of `%s` is a %s"):format(name, of, M.type_name(value)),
                why = "it must be a " .. wanted:gsub("|", " or "),
            })
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

return M
