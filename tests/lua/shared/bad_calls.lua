-- SPDX-License-Identifier: Apache-2.0
-- Wrong calls of public functions, made of what their documentation says they take. Each must raise an error of bpflua's
-- that names what is wrong in the script's words, at the script's line.

local ffi = require("ffi")
local docs = require("bpflua.docs")
local errors = require("bpflua.errors")
local surface = require("bpflua.surface")

local M = {}

-- Which test calls the functions of each class in every wrong way. A class that is missing here fails `bad_input.lua`; one
-- that its test does not call fails that test.
M.TESTS = {
    ["bpflua.Class"] = "bad_input",
    ["bpflua.json"] = "bad_input",
    ["bpflua.posix"] = "bad_input",
    ["bpflua.USDTClass"] = "bad_input",
    ["bpflua.Columns"] = "bad_input",
    ["bpflua.SymbolCache"] = "bad_input",
    ["bpflua.argparse.Parser"] = "bad_input",
    ["bpflua.Pipe"] = "bad_input",
    ["bpflua.bcc_utils"] = "bad_input",
    ["bpflua.StrcmpRewrite"] = "bad_input",
    ["bpflua.commands"] = "bad_input",
    ["bpflua.Tool"] = "bad_input_tools",
    ["bpflua.ToolOutput"] = "bad_input_tools",
    ["bpflua.Oneliner"] = "root_bad_input",
    ["bpflua.BPF"] = "root_bad_input",
    ["bpflua.Map"] = "root_bad_input",
    ["bpflua.PerCpu"] = "root_bad_input",
    ["bpflua.Struct"] = "root_bad_input",
    ["bpflua.Function"] = "root_bad_input",
    ["bpflua.Iter"] = "root_bad_input",
    ["bpflua.USDT"] = "root_bad_input",
    ["bpflua.USDTProbe"] = "root_bad_input",
}

-- What was called in this process, by class.
local called_classes = {}

-- What no user should have to read: Lua's, the FFI's and Rust's own words, and our own files.
local FOREIGN = {
    "attempt to", "bad argument", "cannot convert", "error converting", "scripts/lib", "stack traceback", "ctype<",
    "number has no integer", "invalid C type", "invalid value (", "expected near", "bug in bpflua", "panic", "unexpected ",
    "userdata: 0x", "table: 0x", "function: 0x", "nul byte", "FromLua",
}

-- ---------------------------------------------------------------- what the documentation says

-- The pieces of a LuaLS type apart by `|` outside of brackets.
local function alternatives(text)
    local list, depth, piece = {}, 0, ""
    for char in text:gmatch(".") do
        depth = depth + (char:find("[%(%{<]") and 1 or char:find("[%)%}>]") and -1 or 0)
        if char == "|" and depth == 0 then
            list[#list + 1], piece = piece, ""
        else
            piece = piece .. char
        end
    end
    list[#list + 1] = piece
    return list
end

-- The type at the beginning of a comment, which goes on in words after it.
local function leading_type(text)
    local depth = 0
    for at = 1, #text do
        local char = text:sub(at, at)
        depth = depth + (char:find("[%(%{<]") and 1 or char:find("[%)%}>]") and -1 or 0)
        local before = text:sub(1, at)
        if char == " " and depth == 0 and not before:find("[,:|]%s*$") and not before:find("^fun%([^%)]*%):?%s*$") then
            return text:sub(1, at - 1)
        end
    end
    return text
end

local PLAIN = { string = "string", integer = "integer", number = "number", boolean = "boolean", table = "table", any = "any" }

-- What kinds of values a type takes, as a set.
local function accepted(text)
    local set = {}
    for _, one in ipairs(alternatives(text)) do
        one = one:gsub("^%((.*)%)$", "%1")
        if PLAIN[one] then
            set[PLAIN[one]] = true
        elseif one:find('^"') then
            set.string = true
        elseif one:find("^fun%(") then
            set["function"] = true
        elseif one == "file*" then
            set.userdata = true
        elseif one:find("cdata") or one:find("ctype") then
            set.cdata = true
        elseif one:find("^%-?%d+$") then
            set.integer = true
        elseif one:find("%[%]$") or one:find("^table<") then
            set.list = true
        elseif one:find("^{") then
            set.options = one
        elseif one:find("|") then
            for kind in pairs(accepted(one)) do
                set[kind] = true
            end
        else
            set.object = true
        end
    end
    return set
end

-- The options of `{name: type, other?: type}`: {name = {type = …, optional = …}}.
local function option_types(text)
    local options, depth, piece = {}, 0, ""
    local function take()
        local name, optional, kind = piece:match("^%s*([%w_]+)(%??):%s*(.-)%s*$")
        if name then
            options[name] = { accepts = accepted((kind:gsub("%?$", ""))), optional = optional == "?" or kind:sub(-1) == "?" }
        end
        piece = ""
    end
    for char in text:sub(2, -2):gmatch(".") do
        depth = depth + (char:find("[%(%{<]") and 1 or char:find("[%)%}>]") and -1 or 0)
        if char == "," and depth == 0 then
            take()
        else
            piece = piece .. char
        end
    end
    take()
    return options
end

-- The parameters of a function: {name, accepts, optional}.
local function parameters(fn)
    local doc = docs.of(fn)
    local list = {}
    for i, name in ipairs(doc and doc.params or {}) do
        local one = { name = name, accepts = { any = true }, optional = true }
        for _, line in ipairs(doc.lines) do
            local optional, rest = line:match("^@param " .. name .. "(%??) (.*)$")
            if rest then
                local kind = leading_type(rest)
                one.optional = optional == "?" or kind:sub(-1) == "?"
                one.accepts = accepted((kind:gsub("%?$", "")))
                one.documented = true
            end
        end
        list[i] = one
    end
    return list
end

-- ---------------------------------------------------------------- values

local stranger = ffi.new("struct { int zzz; }")

-- A value of each kind, its name for the report.
local VALUES = {
    { kind = "boolean", value = true },
    { kind = "integer", value = 7 },
    { kind = "number", value = 1.5 },
    { kind = "nan", value = 0 / 0 },
    { kind = "infinite", value = math.huge },
    { kind = "string", value = "zzz" },
    { kind = "bytes", value = "\255\254" },
    { kind = "function", value = print },
    { kind = "table", value = { zzz = 1 } },
    { kind = "struct", value = stranger },
    { kind = "uint64_t", value = 5ULL },
    { kind = "userdata", value = io.stdout },
    { kind = "thread", value = coroutine.create(print) },
}

-- Whether what is documented takes a value of this kind, or may.
local function may_take(accepts, kind)
    if accepts.any or accepts[kind] then
        return true
    elseif kind == "integer" then
        return accepts.number
    elseif kind == "infinite" then
        return accepts.number
    elseif kind == "bytes" then
        return accepts.string
    elseif kind == "struct" or kind == "uint64_t" then
        return accepts.cdata
    elseif kind == "table" then
        -- Lists take no `zzz`, but they need not look for it.
        return accepts.list
    end
    return false
end

local function good_value(accepts)
    if accepts.string then
        return "zzz"
    elseif accepts.integer or accepts.number then
        return 1
    elseif accepts["function"] then
        return print
    elseif accepts.boolean then
        return true
    elseif accepts.list or accepts.table or accepts.options then
        return {}
    elseif accepts.cdata then
        return 1ULL
    end
end

-- ---------------------------------------------------------------- calls

local Report = {}
Report.__index = Report

local function named(text, words)
    for _, word in ipairs(words) do
        if text:find(word, 1, true) then
            return true
        end
    end
    return false
end

---Calls a function that must raise; notes what is wrong with how it does.
---@param label string the call, for the report
---@param words string[] one of them must be in the error
function Report:must_raise(label, words, fn, ...)
    self.count = self.count + 1
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, err = pcall(function(...) return fn(...) end, ...)
    local text = tostring(err)
    local function wrong(why)
        self.wrong[#self.wrong + 1] = ("%s: %s%s"):format(label, why, ok and "" or "\n    " .. text:gsub("\n", "\n    "))
    end
    if ok then
        return wrong("nothing is raised; it gives " .. text)
    elseif not errors.is_error(err) then
        return wrong("a plain Lua error")
    end
    for _, foreign in ipairs(FOREIGN) do
        if text:find(foreign, 1, true) then
            return wrong(("%q is no word for users"):format(foreign))
        end
    end
    if err.kind ~= "script" then
        wrong("it is said to be of kind " .. err.kind)
    elseif not text:find("bad_calls.lua:" .. line, 1, true) then
        wrong("the line is not in it")
    elseif not named(text, words) then
        wrong("it names nothing of " .. table.concat(words, ", "))
    end
end

local function copy(list)
    return { unpack(list, 1, table.maxn(list)) }
end

-- Wrong values of one option, the others as they should be.
function Report:options(label, words, call, option_text)
    local options = option_types(option_text)
    local good = {}
    for name, one in pairs(options) do
        if not one.optional then
            good[name] = good_value(one.accepts)
        end
    end
    local function with(name, value)
        local given = {}
        for key, one in pairs(good) do
            given[key] = one
        end
        given[name] = value
        return given
    end
    self:must_raise(label .. "{zzz_option = 1}", { "zzz_option" }, call, with("zzz_option", 1))
    self:must_raise(label .. "{[1] = 1}", words, call, with(1, 1))
    for name, one in pairs(options) do
        for _, value in ipairs(VALUES) do
            if not may_take(one.accepts, value.kind) and not (value.kind == "table" and one.accepts.options) then
                self:must_raise(("%s{%s = a %s}"):format(label, name, value.kind), { "`" .. name }, call, with(name, value.value))
            end
        end
        if not one.optional then
            self:must_raise(("%s{} without %s"):format(label, name), { "`" .. name }, call, with(name, nil))
        end
    end
end

---Calls one function in every wrong way.
---@param label string
---@param name string
---@param fn function
---@param plan Plan
function Report:function_of(label, name, fn, plan)
    local receiver, good = plan.receiver, plan.good and plan.good[name]
    local takes = parameters(fn)
    local args = {}
    for i, one in ipairs(takes) do
        args[i] = good and good[i]
        if args[i] == nil and not one.optional then
            args[i] = good_value(one.accepts)
        end
    end
    local count = #takes
    local function call_with(i, value)
        return function(given)
            local all = copy(args)
            all[i] = given == nil and value or given
            if receiver ~= nil then
                return fn(receiver, unpack(all, 1, math.max(count, i)))
            end
            return fn(unpack(all, 1, math.max(count, i)))
        end
    end
    for i, one in ipairs(takes) do
        local words = { "`" .. name, "`" .. one.name, "`" .. (plan.name or name) }
        for _, value in ipairs(VALUES) do
            if not may_take(one.accepts, value.kind) and not (value.kind == "table" and one.accepts.options) then
                local call = ("%s(%s = a %s)"):format(label, one.name, value.kind)
                self:must_raise(call, words, call_with(i, value.value))
            end
        end
        if not one.optional and not one.accepts.any then
            local all = copy(args)
            all[i] = nil
            self:must_raise(("%s(%s = nil)"):format(label, one.name), words, function()
                if receiver ~= nil then
                    return fn(receiver, unpack(all, 1, count))
                end
                return fn(unpack(all, 1, count))
            end)
        end
        if one.accepts.options then
            self:options(label, { "`" .. name }, call_with(i), one.accepts.options)
        end
    end
    local takes_any_number = takes[count] and takes[count].name == "..."
    if not (plan.static and plan.static[name]) and not takes_any_number then
        self:must_raise(label .. "(one too many)", { "`" .. name }, call_with(count + 1, "zzz"))
    end
end

---@class Plan
---@field receiver? any an object of the class
---@field skip? table<string, string> functions that are not called, and why
---@field static? table<string, boolean> functions that take an object or none
---@field name? string what the receiver is called in the script: naming it in an error will do
---@field good? table<string, any[]> right arguments by function

---Calls every public function of a class in every wrong way.
---@param class string
---@param plan? Plan
function Report:class(class, plan)
    plan = plan or {}
    called_classes[class] = true
    local receiver, called = plan.receiver, 0
    for _, one in ipairs(surface.all) do
        for _, name in ipairs(one.class == class and surface.names(one) or {}) do
            local fn, label = one.functions[name], (plan.name or class:gsub("^bpflua%.", "")) .. (receiver and ":" or ".") .. name
            local is_static = plan.static and plan.static[name]
            called = called + 1
            if not (plan.skip and plan.skip[name]) then
                self:function_of(label, name, fn, plan)
            end
            for _, value in ipairs(receiver ~= nil and not is_static and { false, 5, "zzz", { zzz = 1 }, stranger, io.stdout } or {}) do
                -- What a dot in place of the colon does.
                self:must_raise(("%s on a %s"):format(label, type(value)), { "`" .. name }, fn, value or nil)
            end
        end
    end
    assert(called > 0, "there is no class " .. class)
end

-- Every class that scripts can reach, those of modules that are loaded when they are asked for included.
local function all_classes()
    for _, module in ipairs(surface.on_demand) do
        require(module)
    end
    local classes = {}
    for _, one in ipairs(surface.all) do
        classes[one.class] = true
    end
    return classes
end

---Says why the functions of a class cannot be called here; the test runner passes it on.
---@param class string
---@param reason string
function M.skip(class, reason)
    called_classes[class] = true
    require("harness").skip(class, reason)
end

---Fails when a public class has no test of wrong calls, or this test left out one of its own.
---@param test string the file's name without its ending
function M.nothing_left_out(test)
    for class in pairs(all_classes()) do
        if not M.TESTS[class] then
            error(("nothing calls the functions of `%s` in wrong ways: give it a line in `shared/bad_calls.lua` and a test"):format(class), 0)
        end
    end
    for class, its_test in pairs(M.TESTS) do
        if its_test == test and not called_classes[class] then
            error(("`%s.lua` does not call the functions of `%s`"):format(test, class), 0)
        end
    end
end

---The public functions of a class that take a value of any type: what fits is the C text's to say.
---@param class string
---@return string[]
function M.with_any_value(class)
    local names = {}
    for _, one in ipairs(surface.all) do
        for _, name in ipairs(one.class == class and surface.names(one) or {}) do
            for _, parameter in ipairs(parameters(one.functions[name])) do
                if parameter.documented and parameter.accepts.any then
                    names[#names + 1] = name
                    break
                end
            end
        end
    end
    return names
end

---The public functions of a class that take an option of this name.
---@param class string
---@param option string
---@return string[]
function M.with_option(class, option)
    local names = {}
    for _, one in ipairs(surface.all) do
        for _, name in ipairs(one.class == class and surface.names(one) or {}) do
            for _, parameter in ipairs(parameters(one.functions[name])) do
                if parameter.accepts.options and option_types(parameter.accepts.options)[option] then
                    names[#names + 1] = name
                end
            end
        end
    end
    return names
end

---A report on wrong calls.
function M.report()
    return setmetatable({ count = 0, wrong = {} }, Report)
end

---Raises when anything was wrong, or nothing was called.
---@param least integer so many calls there must have been
function Report:finish(least)
    if self.count < least then
        error(("only %d calls"):format(self.count), 2)
    elseif #self.wrong > 0 then
        error(("%d of %d calls:\n%s"):format(#self.wrong, self.count, table.concat(self.wrong, "\n")), 0)
    end
end

return M
