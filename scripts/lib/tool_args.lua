-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The arguments of a tool, read by what its head says of them.

local argparse = require("bpflua.argparse")
local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

-- What every tool takes, unless a parameter of its own has the flag.
local COMMON = {
    { "--json", "json", "print JSON, an object a line" },
    { "--csv", "csv", "print CSV" },
}
local STACKS = {
    { "-f --folded", "folded", "print stacks folded, a line each" },
    { "--flamegraph", "flamegraph", "write a flame graph of the stacks to this SVG file", "FILE" },
}
local HTML = { "--html", "html", "write a page with what was shown to this file", "FILE" }

local function flags_of(parameter)
    return parameter.flags or "--" .. parameter.name:gsub("_", "-")
end

local function with_range(parameter)
    local text = parameter.help
    local range = parameter.range
    if range then
        text = ("%s (%s to %s)"):format(text, range[1], range[2])
    elseif #(parameter.choices or {}) > 0 then
        text = ("%s (%s)"):format(text, table.concat(parameter.choices, ", "))
    end
    if parameter.default ~= nil and parameter.type ~= "flag" then
        text = ("%s; default %s"):format(text, tostring(parameter.default))
    end
    return text
end

local function converter(parameter, label)
    return function(text)
        local value, why = native.pack.parse(parameter, text)
        if why then
            return nil, ("%s: %s"):format(label, why)
        end
        return value
    end
end

local NUMBERS = { integer = true, number = true, duration = true, size = true, pid = true }

-- Several numbers may also be one word, with commas: `-p 1,2`.
local function list_converter(parameter, label)
    local convert = converter(parameter, label)
    if not parameter.many or not NUMBERS[parameter.type] then
        return convert
    end
    return function(text)
        local list = {}
        for word in (text .. ","):gmatch("([^,]*),") do
            local value, why = convert(word)
            if why then
                return nil, why
            end
            list[#list + 1] = value
        end
        return list
    end
end

local function flat(values)
    local list = {}
    for _, value in ipairs(values) do
        for _, one in ipairs(type(value) == "table" and value or { value }) do
            list[#list + 1] = one
        end
    end
    return list
end

local function add_parameter(parser, parameter)
    local metavar = parameter.metavar or parameter.name:upper()
    if parameter.positional then
        local count = parameter.many and (parameter.required and "+" or "*") or (parameter.required and 1 or "?")
        return parser:argument(parameter.name, with_range(parameter)):args(count):argname(metavar):convert(list_converter(parameter, metavar))
    end
    local flags = flags_of(parameter)
    if parameter.type == "flag" then
        return parser:flag(flags, with_range(parameter)):target(parameter.name)
    end
    local option = parser:option(flags, with_range(parameter)):target(parameter.name):argname(metavar)
    option:convert(list_converter(parameter, flags:match("%-%-%S+") or flags:match("%S+")))
    if parameter.many then
        option:count(parameter.required and "1+" or "*")
    elseif parameter.required then
        option:count("1")
    end
    return option
end

local function examples_text(entry)
    local lines = {}
    for _, example in ipairs(entry.entry.examples) do
        lines[#lines + 1] = ("  %-34s %s"):format((entry.name .. " " .. example.run):gsub("%s+$", ""), example.help)
    end
    return #lines > 0 and "Examples:\n" .. table.concat(lines, "\n") or nil
end

local function description(entry)
    local text = entry.entry.summary
    if entry.entry.description ~= "" then
        text = text .. "\n\n" .. entry.entry.description:gsub("%s+$", "")
    end
    return text
end

local function taken_flags(entry)
    local taken = {}
    for _, parameter in ipairs(entry.entry.parameters) do
        for flag in (parameter.positional and "" or flags_of(parameter)):gmatch("%S+") do
            taken[flag] = true
        end
    end
    return taken
end

-- Adds the options that tools have in common, as far as their flags are free; gives the flags of the tool's own.
local function add_common(parser, entry)
    local taken = taken_flags(entry)
    local has_stacks = entry.entry.outputs.stacks ~= nil
    local all = { COMMON[1], COMMON[2], HTML }
    if has_stacks then
        all[#all + 1], all[#all + 2] = STACKS[1], STACKS[2]
    end
    for _, one in ipairs(all) do
        local flags, target, help, metavar = unpack(one)
        local free = {}
        for flag in flags:gmatch("%S+") do
            free[#free + 1] = not taken[flag] and flag or nil
        end
        if not taken[flags:match("%S+$")] then
            flags = table.concat(free, " ")
            local option = metavar and parser:option(flags, help):argname(metavar) or parser:flag(flags, help)
            option:target("_" .. target)
        end
    end
    return taken
end

local function new_parser(entry)
    local parser = argparse(entry.name, description(entry), examples_text(entry))
    for _, parameter in ipairs(entry.entry.parameters) do
        add_parameter(parser, parameter)
    end
    local taken = add_common(parser, entry)
    if entry.version and not taken["--version"] then
        parser:flag("--version", "print the version"):action(function()
            print(entry.name .. " " .. entry.version)
            os.exit(0)
        end)
    end
    parser:add_help(taken["-h"] and "--help" or "-h --help")
    function parser:error(message)
        io.stderr:write(("error: %s\n%s\nhint: `%s --help` shows all\n"):format(message, self:get_usage(), entry.name))
        os.exit(2)
    end
    return parser
end

local function with_defaults(entry, values)
    for _, parameter in ipairs(entry.entry.parameters) do
        local name, default = parameter.name, parameter.default
        local is_absent = values[name] == nil or type(values[name]) == "table" and #values[name] == 0
        if is_absent and default ~= nil then
            local value = type(default) == "boolean" and default or native.pack.parse(parameter, tostring(default))
            values[name] = parameter.many and { value } or value
        elseif is_absent and parameter.type == "flag" then
            values[name] = false
        elseif parameter.many then
            values[name] = flat(values[name] or {})
        end
    end
    return values
end

-- A typo in a parameter's name is an error, as in any other global thing.
local function strict(entry, values)
    local known = {}
    for _, parameter in ipairs(entry.entry.parameters) do
        known[parameter.name] = true
    end
    return setmetatable(values, {
        __index = function(_, name)
            if not known[name] then
                errors.unknown(("`%s` has no parameter `%s`"):format(entry.name, tostring(name)), name, known, "parameters")
            end
        end,
    })
end

---Reads a list of arguments by what an entry says of its parameters. Ends the script for `--help` and for wrong ones.
---@param entry table as `native.pack.entry` gives it
---@param list string[]
---@return table<string, any> args
---@return {json: boolean, csv: boolean, html?: string, folded: boolean, flamegraph?: string} form how to print
function M.read(entry, list)
    local values = new_parser(entry):parse(list)
    local form = {}
    for _, name in ipairs({ "json", "csv", "html", "folded", "flamegraph" }) do
        -- A tool may have the flag under other letters, too: `-j --csv`.
        form[name], values["_" .. name] = values["_" .. name] or values[name] == true or nil, nil
    end
    return strict(entry, with_defaults(entry, values)), form
end

return M
