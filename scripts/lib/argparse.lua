-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `utils.argparse`: a script's own arguments, by the contract of the argparse module that bcc-lua carries (0.5).
--
--     local parser = argparse("opens", "Trace open(2)")
--     parser:flag("-v --verbose")
--     parser:option("-p --pid", "trace this process only"):convert(tonumber)
--     parser:argument("file"):args("*")
--     local args = parser:parse()            -- {verbose = true, pid = 42, file = {…}}
--
-- Everything is set by a method of its name, by position when it is made, or by a table:
-- `parser:option{name = "-p --pid", default = "0"}`. Methods return what they were called on.

local errors = require("bpflua.errors")
local help = require("bpflua.argparse_help")
local parse = require("bpflua.argparse_parse")

local function fail(what, why)
    errors.fail({ what = what, why = why })
end

local function check_type(name, value, ...)
    for _, wanted in ipairs({ ... }) do
        if type(value) == wanted then
            return
        end
    end
    fail(("bad property `%s`"):format(name), ("%s expected, got %s"):format(table.concat({ ... }, " or "), type(value)))
end

-- ---------------------------------------------------------------- properties

-- A setter that checks the type and keeps the value under the property's name.
local function plain(...)
    local wanted = { ... }
    return function(self, name, value)
        check_type(name, value, unpack(wanted))
        self["_" .. name] = value
    end
end

-- "-v --verbose": the first is the name, all of them are found.
local function names(self, name, value)
    check_type(name, value, "string")
    for alias in value:gmatch("%S+") do
        self._name = self._name or alias
        self._aliases[#self._aliases + 1] = alias
    end
end

-- How many: 2, "?", "*", "+", "2+", "1-3".
local FIXED = { ["?"] = { 0, 1 }, ["*"] = { 0, math.huge }, ["+"] = { 1, math.huge } }
local function range(self, name, value)
    check_type(name, value, "number", "string")
    local text = tostring(value)
    local low, high
    if FIXED[text] then
        low, high = unpack(FIXED[text])
    else
        low, high = text:match("^(%d+)%-(%d+)$")
        if not low then
            low = text:match("^(%d+)%+$")
            high = low and math.huge or tonumber(text)
            low = low or tonumber(text)
        end
    end
    if not low then
        fail(("bad property `%s`"):format(name), ("`%s` is no number of times"):format(text))
    end
    self["_min" .. name], self["_max" .. name] = tonumber(low), tonumber(high)
end

-- A default that is a text goes through `convert` as if it had been given; any other is the result as it is.
local function default(self, _, value)
    if type(value) == "string" then
        self._default = value
    else
        self._init, self._has_init = value, true
    end
end

local function init(self, _, value)
    self._init, self._has_init = value, true
end

local function action(self, name, value)
    check_type(name, value, "function", "string")
    if type(value) == "string" and not parse.ACTIONS[value] then
        errors.unknown(("there is no action `%s`"):format(value), value, parse.ACTIONS, "actions")
    end
    self._action = value
end

-- Setters by property. `_order` says what positions stand for.
local ARGUMENT = {
    _order = { "name", "description", "default", "convert", "args" },
    name = plain("string"),
    description = plain("string"),
    default = default,
    convert = plain("function", "table"),
    args = range,
    target = plain("string"),
    defmode = plain("string"),
    show_default = plain("boolean"),
    argname = plain("string", "table"),
    action = action,
    init = init,
}

local OPTION = setmetatable({
    _order = { "name", "description", "default", "convert", "args", "count" },
    name = names,
    count = range,
    overwrite = plain("boolean"),
}, { __index = ARGUMENT })

local PARSER = {
    _order = { "name", "description", "epilog" },
    name = plain("string"),
    description = plain("string"),
    epilog = plain("string"),
    usage = plain("string"),
    help = plain("string"),
    require_command = plain("boolean"),
    handle_options = plain("boolean"),
    action = plain("function"),
    command_target = plain("string"),
}

local COMMAND = setmetatable({ name = names, target = plain("string") }, { __index = PARSER })

-- ---------------------------------------------------------------- classes of elements

-- A class: its methods, its setters, and the fields that a new one has.
local function element_class(properties, methods, fields)
    local class = {}
    local function set(self, name, value)
        properties[name](self, name, value)
        return self
    end
    class.__index = function(_, name)
        if methods[name] then
            return methods[name]
        elseif type(name) == "string" and name:sub(1, 1) ~= "_" and properties[name] then
            return function(self, value)
                return set(self, name, value)
            end
        end
    end
    -- Called, an element takes properties by position, or a table of them by name.
    class.__call = function(self, ...)
        local first = ...
        if type(first) == "table" then
            for i, name in ipairs(properties._order) do
                if first[i] ~= nil then
                    set(self, name, first[i])
                end
            end
            for name, value in pairs(first) do
                if type(name) == "string" then
                    if not properties[name] then
                        fail(("there is no property `%s`"):format(name))
                    end
                    set(self, name, value)
                end
            end
        else
            if select("#", ...) > #properties._order then
                local why = ("it takes %d by position: %s"):format(#properties._order, table.concat(properties._order, ", "))
                fail(("%d properties are given"):format(select("#", ...)), why)
            end
            for i, name in ipairs(properties._order) do
                local value = (select(i, ...))
                if value ~= nil then
                    set(self, name, value)
                end
            end
        end
        return self
    end
    return function(...)
        return setmetatable(fields(), class)(...)
    end
end

local argument = element_class(ARGUMENT, help.Argument, function()
    return { _minargs = 1, _maxargs = 1, _mincount = 1, _maxcount = 1, _defmode = "unused", _show_default = true }
end)

local option = element_class(OPTION, help.Option, function()
    return {
        _is_option = true, _aliases = {}, _overwrite = true, _defmode = "unused", _show_default = true,
        _minargs = 1, _maxargs = 1, _mincount = 0, _maxcount = 1,
    }
end)

-- ---------------------------------------------------------------- parsers

---@class bpflua.argparse.Parser
local Parser = setmetatable({}, { __index = help.Parser })

local function parser_fields()
    return { _arguments = {}, _options = {}, _commands = {}, _mutexes = {}, _aliases = {}, _require_command = true, _handle_options = true }
end

local new_command = element_class(COMMAND, Parser, parser_fields)
local new_parser = element_class(PARSER, Parser, parser_fields)

---Adds a positional argument: its value is `args[name]`, a list when it takes several.
function Parser:argument(...)
    local new = argument(...)
    table.insert(self._arguments, new)
    return new
end

---Adds an option with a value: `args.pid` for "-p --pid".
function Parser:option(...)
    local new = option(...)
    -- The help option stays the last one shown.
    table.insert(self._options, #self._options + (self._has_help and 0 or 1), new)
    return new
end

---Adds an option without a value: true when it is given.
function Parser:flag(...)
    return self:option():args(0)(...)
end

---Adds a command, a parser of its own; `args[name]` is true when it is given.
function Parser:command(...)
    local new = new_command():add_help(true)(...)
    new._parent = self
    table.insert(self._commands, new)
    return new
end

---Of these options only one may be given.
function Parser:mutex(...)
    for i, one in ipairs({ ... }) do
        if type(one) ~= "table" or not rawget(one, "_is_option") then
            fail(("argument %d of `mutex` is no option"):format(i))
        end
    end
    table.insert(self._mutexes, { ... })
    return self
end

---Adds `-h --help`, which is there unless this is called with false. Also takes the option's properties.
---@param value boolean|string|table false for no such option; or its spelling, or its properties
function Parser:add_help(value)
    check_type("add_help", value, "boolean", "string", "table")
    if self._has_help then
        table.remove(self._options)
        self._has_help = false
    end
    if value then
        local flag = self:flag():description("Show this help message and exit."):action(function()
            print(self:get_help())
            os.exit(0)
        end)
        if value ~= true then
            flag = flag(value)
        end
        if not flag._name then
            flag("-h --help")
        end
        self._has_help = true
    end
    return self
end

-- What has no name by the time that it is needed would be found nowhere.
local function check_names(of, parser)
    for kind, list in pairs({ argument = parser._arguments, option = parser._options, command = parser._commands }) do
        for i, one in ipairs(list) do
            if not one._name then
                fail(("cannot call `%s`"):format(of), ("%s %d of the parser has no name"):format(kind, i))
            elseif kind == "command" then
                check_names(of, one)
            end
        end
    end
end

local function check_list(of, parser, args)
    errors.arguments(of, { "args", "table" }, args)
    for i, one in ipairs(args or {}) do
        if type(one) ~= "string" then
            fail(("argument `args` of `%s` is no list of strings"):format(of), ("`args[%d]` is a %s"):format(i, errors.type_name(one)))
        end
    end
    check_names(of, parser)
end

---Shows how the script is called and what is wrong, and ends it with status 1. A script may put its own in place.
---@param message string what is wrong
function Parser:error(message)
    errors.arguments("error", { "message", "string!" }, message)
    io.stderr:write(("%s\n\nError: %s\n"):format(self:get_usage(), message))
    os.exit(1)
end

---Reads the arguments of the script, or a list of them.
---@param args? string[] default: the global `arg`
---@return table<string, any>
function Parser:parse(args)
    check_list("parse", self, args)
    return parse.run(self, args or arg, function(parser, message)
        parser:error(message)
    end)
end

---As `parse`, but a wrong argument is a result.
---@param args? string[] a list of words; default: the script's own
---@return boolean ok
---@return table|string result the arguments, or what is wrong
function Parser:pparse(args)
    check_list("pparse", self, args)
    local wrong = {}
    local ok, result = pcall(parse.run, self, args or arg, function(_, message)
        wrong.message = message
        error(wrong, 0)
    end)
    if not ok and result == wrong then
        return false, wrong.message
    elseif not ok then
        error(result, 0)
    end
    return true, result
end

Parser.get_usage, Parser.get_help = help.Parser.get_usage, help.Parser.get_help
require("bpflua.surface").add_methods("bpflua.argparse.Parser", Parser, {
    noun = "parser of arguments",
    is = function(value)
        return type(value) == "table" and rawget(value, "_commands") ~= nil
    end,
})

---Makes a parser; its name is the script's unless given.
---@param name? string
---@param description? string
---@param epilog? string
---@return bpflua.argparse.Parser
return function(...)
    return new_parser(arg and arg[0] or "script"):add_help(true)(...)
end
