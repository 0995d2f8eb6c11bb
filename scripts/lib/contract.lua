-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What holds in scripts of bcc-lua's contract alone: those that return `function(BPF, utils)`, and those that require
-- `bcc.init` or `bcc.bpf` as bcc-lua's tests do. Where bcc's Python and Lua differ, other scripts have the Python way.

local errors = require("bpflua.errors")
local types = require("bpflua.types")

local M = { active = false }

-- What bcc-lua says in place of an error of ours; the error is the key.
local words = setmetatable({}, { __mode = "k" })

-- Functions of `string` that take a text first. To bcc-lua's scripts an error is a text.
local OF_TEXT = { "byte", "find", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper" }

local function text_of(err)
    local said = words[err]
    return (said and said .. "\n" or "") .. tostring(err)
end

local function taking_errors(own)
    return function(subject, ...)
        if errors.is_error(subject) then
            subject = text_of(subject)
        end
        return own(subject, ...)
    end
end

---From now on the script has bcc-lua's contract.
function M.enter()
    if M.active then
        return
    end
    M.active = true
    for _, name in ipairs(OF_TEXT) do
        string[name] = taking_errors(string[name])
    end
end

local function finish(ok, ...)
    if not ok then
        local err = ...
        if errors.is_error(err) then
            words[err] = "failed to compile BPF module"
        end
        error(err, 0)
    end
    return ...
end

---Makes an object; of an error, the contract's scripts are told in bcc-lua's words as well.
---@param create function
---@param options table
---@return any
function M.create(create, options)
    if not M.active then
        return create(options)
    end
    return finish(pcall(create, options))
end

---bcc-lua's limit of probes, `BPF.KPROBE_LIMIT`, which a script may set. Other scripts have none.
---@param what string the method that is to attach one more
function M.check_quota(what)
    if not M.active then
        return
    end
    local BPF = package.loaded.bpf
    local open = BPF.num_open_kprobes() + BPF.num_open_uprobes()
    if open + 1 > BPF.KPROBE_LIMIT then
        errors.fail({
            what = ("`%s` cannot attach another probe"):format(what),
            why = ("%d are open, and `BPF.KPROBE_LIMIT` is %s"):format(open, tostring(BPF.KPROBE_LIMIT)),
        })
    end
end

-- Values in the order of a struct's members, by their names.
local function by_name(ctype, value)
    if type(value) ~= "table" then
        return value
    end
    local named, members, fields = {}, ctype.fields and ctype:members(), ctype.fields and ctype:fields_by_name()
    for key, one in pairs(value) do
        local field = members and (members[key] or fields[key])
        local inner = field and field.type or ctype.element
        named[field and field.name or key] = inner and by_name(types.of(inner), one) or one
    end
    return named
end

---A key or value as `set` takes it, of what bcc-lua's scripts give: what initialises an array of one, `{{1, 2}}`.
---@param ctype bpflua.Type
---@param value any
---@return any
function M.value_of(ctype, value)
    local first = type(value) == "table" and #value == 1 and value[1]
    local is_list = ctype.kind == "array" and not ctype.text
    if first and (not is_list or type(first) == "table" and not types.of(ctype.element).fields) then
        value = first
    end
    return by_name(ctype, value)
end

---How `items()` goes over an array: values alone, or with `with_index` the number of each, from 1, in front.
---@param values fun(): any
---@param with_index? boolean
---@return fun(): any, any
function M.array_items(values, with_index)
    if not with_index then
        return values
    end
    local at = 0
    return function()
        local value = values()
        if value ~= nil then
            at = at + 1
            return at, value
        end
    end
end

return M
