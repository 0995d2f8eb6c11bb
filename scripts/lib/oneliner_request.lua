-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What a one-liner is asked: the user's words as a request, the probes that it is about, and where each of these has the values
-- that are asked for.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local values = require("bpflua.oneliner_values")

local M = {}

---@class bpflua.OnelinerOptions
---@field pid? integer only in this process
---@field comm? string only in threads of this name
---@field filter? string a C expression over the probe's names: `count > 4096 && comm != "sshd"`
---@field interval? number seconds after which what came meanwhile is printed, again and again
---@field seconds? number stops by itself after so many, and prints
---@field top? integer only so many, the largest
---@field units? string of `hist`: what the numbers are; of `latency`: "ns", "us" (the default), "ms" or "s"
---@field max_keys? integer how many different keys there is room for (default 10240); what finds none is counted
---@field strings? integer bytes kept of a text (default 64, of `trace` 256)
---@field folded? boolean stacks a line each, as flame graphs want them
---@field handler? fun(event: table) of `trace`: called with each event in place of printing it

local OPTIONS = {
    pid = "i32",
    comm = "string",
    filter = "string",
    interval = "seconds",
    seconds = "seconds",
    top = "natural",
    units = "string",
    max_keys = "u32",
    strings = "u32",
    folded = "boolean",
    handler = "function",
}

-- ---------------------------------------------------------------- what the user said

-- `{"a", "b"}` is a list of names; any other table is options.
local function take_argument(request, of, argument)
    if type(argument) == "string" then
        request.names[#request.names + 1] = argument
    elseif type(argument) == "function" and of == "trace" then
        request.options = { handler = argument }
    elseif type(argument) == "table" and type(argument[1]) == "string" then
        for _, name in ipairs(argument) do
            take_argument(request, of, name)
        end
    elseif type(argument) == "table" then
        return argument
    else
        errors.fail({
            what = ("cannot call `%s`"):format(of),
            why = ("after the probe it takes names and a table of options, not a %s"):format(errors.type_name(argument)),
        })
    end
end

---The request that a one-liner's arguments are.
---@param of string the word: "count", "hist" …
---@param spec string|string[]
---@return table request
function M.parse(of, spec, ...)
    errors.arguments(of, { "probe", "string|table!" }, spec)
    local request = { of = of, names = {}, options = {} }
    for i = 1, select("#", ...) do
        local argument = (select(i, ...))
        local given = argument ~= nil and take_argument(request, of, argument)
        if given then
            request.options = given
        end
    end
    errors.options(of, request.options, OPTIONS)
    request.specs = type(spec) == "table" and spec or { spec }
    request.what = ("cannot call `%s` for `%s`"):format(of, table.concat(request.specs, ", "))
    return request
end

---"kprobe:a, kprobe:b" is two; a comma in a path is none.
function M.split(specs)
    local list = {}
    for _, spec in ipairs(specs) do
        local rest = spec
        while true do
            local at, stop = rest:find(",%s*%l+:", 1)
            if not at then
                break
            end
            list[#list + 1] = rest:sub(1, at - 1)
            rest = rest:sub(at + 1):match("^%s*(.*)$")
            stop = nil
        end
        list[#list + 1] = rest
    end
    return list
end

local KINDS

---A probe with its kind: a bare function of the kernel is a kprobe, `category:event` a tracepoint.
function M.with_kind(spec)
    if not KINDS then
        KINDS = {}
        for _, name in ipairs(native.probes.kinds()) do
            KINDS[name] = true
        end
    end
    local kind = spec:match("^([%w_]+):")
    if not kind then
        return "kprobe:" .. spec
    elseif not KINDS[kind] and spec:find("^[%w_]+:[%w_*?]+$") and native.kernel.has_tracepoint(kind, spec:match(":(.*)$")) then
        return "tracepoint:" .. spec
    end
    return spec
end

---The probes that these stand for.
---@param specs string[]
---@param pid? integer
---@param what string the headline of an error
---@return table[] probes each with its `handle`, `facts` and `number`
function M.expand(specs, pid, what)
    local probes = {}
    for _, spec in ipairs(specs) do
        for _, handle in ipairs(native.probes.expand(M.with_kind(spec), pid, what)) do
            probes[#probes + 1] = { handle = handle, facts = native.probes.describe(handle, what), number = #probes + 1 }
        end
    end
    return probes
end

-- ---------------------------------------------------------------- values of all probes

---Those probes of a pattern that have all that is asked for. The others are left out, and the user is told; when none
---has it, the error of the first stands.
function M.with_values(request, probes, find)
    local kept, found, refused = {}, {}, {}
    local first_error
    for _, probe in ipairs(probes) do
        local ok, result = pcall(find, probe)
        if ok then
            kept[#kept + 1], found[#found + 1] = probe, result
        else
            first_error = first_error or result
            refused[#refused + 1] = probe.facts.short_name
        end
    end
    if #kept == 0 then
        error(first_error, 0)
    elseif #refused > 0 then
        local shown = table.concat(refused, ", ", 1, math.min(#refused, 8)) .. (#refused > 8 and ", …" or "")
        local lacking = type(first_error) == "userdata" and first_error.why or tostring(first_error)
        native.run.notice(0, ("%s: left out %d of %d probes: %s (%s)"):format(request.of, #refused, #probes, shown, lacking))
    end
    for i, probe in ipairs(kept) do
        probe.number = i
    end
    return kept, found
end

---Where a probe has these values.
---@param request table
---@param probe table
---@param names string[]
---@return table[]
function M.find_all(request, probe, names)
    local list = {}
    for i, name in ipairs(names) do
        list[i] = values.find(probe, name, request.what)
    end
    return list
end

---The members of the key or event that hold the values of these names.
---@param request table
---@param names string[]
---@param found table[][] by probe, then by name
---@param probes table[]
---@param first_number integer
---@param room integer bytes kept of a text
---@return table[]
function M.members_of(request, names, found, probes, first_number, room)
    local members = {}
    for i, name in ipairs(names) do
        local column = {}
        for j = 1, #probes do
            column[j] = found[j][i]
        end
        members[i] = values.member(name, first_number + i - 1, column, probes, request.what, room)
    end
    return members
end

return M
