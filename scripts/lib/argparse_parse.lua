-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- argparse: from a list of arguments to a table of values.

local errors = require("bpflua.errors")

local M = {}

-- ---------------------------------------------------------------- what is done with the values of an element

local function fail_action(action, target, why)
    errors.fail({ what = ("cannot do the action `%s` for `%s`"):format(action, target), why = why })
end

-- What is already in the result, to add to.
local function list_of(result, target, action)
    local list = result[target] or {}
    if type(list) ~= "table" then
        fail_action(action, target, ("it adds to a list, and `init` is a %s"):format(errors.type_name(list)))
    end
    result[target] = list
    return list
end

---How values go into the result, by name; a function of the script's may stand in for any.
---@type table<string, fun(result: table, target: string, values: any, overwrite: boolean)>
M.ACTIONS = {
    store = function(result, target, value)
        result[target] = value
    end,
    store_true = function(result, target)
        result[target] = true
    end,
    store_false = function(result, target)
        result[target] = false
    end,
    count = function(result, target, _, overwrite)
        if not overwrite then
            result[target] = (result[target] or 0) + 1
        end
    end,
    append = function(result, target, value, overwrite)
        local list = list_of(result, target, "append")
        list[#list + 1] = value
        if overwrite then
            table.remove(list, 1)
        end
    end,
    concat = function(result, target, values, overwrite)
        if overwrite then
            fail_action("concat", target, "it is given more often than `count` says, and of joined lists none can be taken back")
        elseif type(values) ~= "table" then
            fail_action("concat", target, "it joins lists, and `args` lets one use have one value at most")
        end
        local list = list_of(result, target, "concat")
        for _, value in ipairs(values) do
            list[#list + 1] = value
        end
    end,
}

-- The action of an element, and what its target holds before.
local function action_of(element)
    local once, valueless = element._maxcount == 1, element._maxargs == 0
    local action = once and (valueless and "store_true" or "store") or (valueless and "count" or "append")
    local initial
    if not once then
        initial = valueless and 0 or {}
    end
    if element._has_init then
        initial = element._init
    end
    action = element._action or action
    return M.ACTIONS[action] or action, initial
end

-- ---------------------------------------------------------------- the state of one element

local Element = {}
Element.__index = Element

local function new_element(run, definition)
    local target = definition:_target_name()
    local action, initial = action_of(definition)
    if initial ~= nil then
        run.result[target] = initial
    end
    return setmetatable({ run = run, definition = definition, target = target, action = action, uses = 0, values = {} }, Element)
end

local function times(noun, least, most, is_most)
    local number = is_most and most or least
    local bound = least ~= most and (is_most and "at most " or "at least ") or ""
    return ("%s%d %s%s"):format(bound, number, noun, number == 1 and "" or "s")
end

function Element:fallback(mode)
    return self.definition._defmode:find(mode, 1, true) and self.definition._default
end

-- One use of the element begins. Gives whether it takes values.
function Element:begin(alias)
    local definition = self.definition
    self.open = true
    self.name = ("%s '%s'"):format(definition._is_option and "option" or "argument", alias or definition._name)
    self.overwrite = self.uses >= definition._maxcount
    if self.overwrite and not definition._overwrite then
        self.run:fail("%s must be used %s", self.name, times("time", definition._mincount, definition._maxcount, true))
    elseif not self.overwrite then
        self.uses = self.uses + 1
    end
    self.values = {}
    if definition._maxargs <= 0 then
        self:finish()
    end
    return self.open
end

function Element:convert(text)
    local converter = self.definition._convert
    if not converter then
        return text
    end
    local value, why
    if type(converter) == "function" then
        value, why = converter(text)
    else
        value = converter[text]
    end
    if value == nil then
        self.run:fail("%s", why or ("malformed argument '%s'"):format(text))
    end
    return value
end

-- Gives whether it takes more.
function Element:take(text)
    self.values[#self.values + 1] = self:convert(text)
    if #self.values >= self.definition._maxargs then
        self:finish()
    end
    return self.open
end

function Element:fill_up()
    while #self.values < self.definition._minargs do
        self:take(self.definition._default)
    end
end

function Element:missing()
    local definition = self.definition
    if #self.values == 0 and not definition._is_option then
        self.run:fail("missing %s", self.name)
    elseif #self.values == 0 and definition._maxargs == 1 then
        self.run:fail("%s requires an argument", self.name)
    end
    self.run:fail("%s requires %s", self.name, times("argument", definition._minargs, definition._maxargs))
end

-- The use ends: its values go to the action, one as itself, several as a list.
function Element:finish()
    if not self.open then
        return
    end
    local definition = self.definition
    self.open = false
    if #self.values < definition._minargs then
        if not self:fallback("a") then
            self:missing()
        end
        self:fill_up()
    end
    local values = self.values
    local is_optional_and_repeated = definition._maxargs == 1 and definition._minargs == 0
        and definition._mincount ~= definition._maxcount
    if definition._maxargs <= 1 and not is_optional_and_repeated then
        values = values[1]
    end
    self.action(self.run.result, self.target, values, self.overwrite)
end

-- ---------------------------------------------------------------- the run over the arguments

local Run = {}
Run.__index = Run

function Run:fail(message, ...)
    self.on_error(self.parser, message:format(...))
    error("the handler of argparse's errors came back", 0)
end

local function tip(known, name)
    local names = {}
    for one in pairs(known) do
        names[#names + 1] = type(one) == "string" and one or nil
    end
    table.sort(names)
    local near = errors.nearest(name, names)
    if #near == 0 then
        return ""
    elseif #near == 1 then
        return ("\nDid you mean '%s'?"):format(near[1])
    end
    return "\nDid you mean one of these: '" .. table.concat(near, "' '") .. "'?"
end

-- First characters of options, of the commands' as well.
local function option_marks(parser, marks)
    for _, option in ipairs(parser._options) do
        for _, alias in ipairs(option._aliases) do
            marks[alias:sub(1, 1)] = true
        end
    end
    for _, command in ipairs(parser._commands) do
        option_marks(command, marks)
    end
    return marks
end

-- Goes on with the elements of a parser: the script's own, then that of a command.
function Run:enter(parser)
    self.parser = parser
    self.handle_options = parser._handle_options
    if parser._action then
        table.insert(self.command_actions, 1, parser)
    end
    for _, definition in ipairs(parser._options) do
        local option = new_element(self, definition)
        self.option_list[#self.option_list + 1] = option
        for _, alias in ipairs(definition._aliases) do
            self.options[alias] = option
        end
    end
    for _, definition in ipairs(parser._arguments) do
        local argument = new_element(self, definition)
        self.arguments[#self.arguments + 1] = argument
        argument:begin()
    end
    self.commands = {}
    for _, command in ipairs(parser._commands) do
        for _, alias in ipairs(command._aliases) do
            self.commands[alias] = command
        end
    end
    for _, mutex in ipairs(parser._mutexes) do
        table.insert(self.mutexes, { options = mutex })
    end
end

function Run:find_option(name)
    return self.options[name] or self:fail("unknown option '%s'%s", name, tip(self.options, name))
end

function Run:close_option()
    if self.open_option then
        self.open_option:finish()
        self.open_option = nil
    end
end

function Run:check_mutexes(option, name)
    for _, mutex in ipairs(self.mutexes) do
        for _, definition in ipairs(mutex.options) do
            if definition == option.definition then
                if mutex.used and mutex.used ~= option then
                    self:fail("option '%s' can not be used together with %s", name, mutex.used.name)
                end
                mutex.used = option
            end
        end
    end
end

function Run:use_option(option, name)
    self:close_option()
    self:check_mutexes(option, name)
    if option:begin(name) then
        self.open_option = option
    end
end

function Run:enter_command(name)
    local command = self.commands[name]
    if not command then
        if next(self.commands) == nil then
            self:fail("too many arguments")
        end
        self:fail("unknown command '%s'%s", name, tip(self.commands, name))
    end
    self.result[command._target or command._name] = true
    if self.parser._command_target then
        self.result[self.parser._command_target] = command._name
    end
    self:enter(command)
end

function Run:word(text)
    local argument = self.arguments[self.next_argument]
    if self.open_option then
        if not self.open_option:take(text) then
            self.open_option = nil
        end
    elseif argument then
        if not argument:take(text) then
            self.next_argument = self.next_argument + 1
        end
    else
        self:enter_command(text)
    end
end

-- `--name`, `--name=value`; `--` alone ends the options.
function Run:long_option(text)
    local name, value = text:match("^(.-)=(.*)$")
    local option = self:find_option(name or text)
    if name and option.definition._maxargs <= 0 then
        self:fail("option '%s' does not take arguments", name)
    end
    self:use_option(option, name or text)
    if value then
        self:word(value)
    end
end

-- `-v`, `-vx`, `-p42`.
function Run:short_options(text)
    local mark = text:sub(1, 1)
    for at = 2, #text do
        local name = mark .. text:sub(at, at)
        local option = self:find_option(name)
        self:use_option(option, name)
        if at < #text and option.definition._maxargs > 0 then
            return self:word(text:sub(at + 1))
        end
    end
end

function Run:argument(text)
    local mark = text:sub(1, 1)
    if not self.handle_options or not self.marks[mark] or #text == 1 then
        self:word(text)
    elseif text == mark:rep(2) then
        self:close_option()
        self.handle_options = false
    elseif text:sub(2, 2) == mark then
        self:long_option(text)
    else
        self:short_options(text)
    end
end

-- ---------------------------------------------------------------- the end of the run

function Run:finish_option(option)
    local definition = option.definition
    local name = option.name or ("option '%s'"):format(definition._name)
    if option.uses == 0 and option:fallback("u") then
        option:begin(definition._name)
        option:fill_up()
        option:finish()
    end
    if option.uses >= definition._mincount then
        return
    elseif option:fallback("a") then
        while option.uses < definition._mincount do
            option:begin(definition._name)
            option:finish()
        end
    elseif option.uses == 0 then
        self:fail("missing %s", name)
    else
        self:fail("%s must be used %s", name, times("time", definition._mincount, definition._maxcount))
    end
end

function Run:finish()
    self:close_option()
    for i = self.next_argument, #self.arguments do
        local argument = self.arguments[i]
        if #argument.values == 0 and argument:fallback("u") then
            argument:fill_up()
        end
        argument:finish()
    end
    if self.parser._require_command and next(self.commands) ~= nil then
        self:fail("a command is required")
    end
    for _, option in ipairs(self.option_list) do
        self:finish_option(option)
    end
    for _, command in ipairs(self.command_actions) do
        command._action(self.result, command._name)
    end
    return self.result
end

---Reads arguments.
---@param parser bpflua.argparse.Parser
---@param args string[]
---@param on_error fun(parser: bpflua.argparse.Parser, message: string) does not come back
---@return table<string, any>
function M.run(parser, args, on_error)
    local run = setmetatable({
        result = {}, options = {}, option_list = {}, arguments = {}, next_argument = 1, mutexes = {}, command_actions = {},
        marks = option_marks(parser, {}), on_error = on_error,
    }, Run)
    run:enter(parser)
    for _, text in ipairs(args) do
        run:argument(text)
    end
    return run:finish()
end

return M
