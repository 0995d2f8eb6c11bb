-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- From a request to a BPF object: the statements that filter and fill, the declarations, the text, the attachments.

local c_expression = require("bpflua.c_expression")
local errors = require("bpflua.errors")
local show = require("bpflua.oneliner_show")
local text = require("bpflua.oneliner_text")
local values = require("bpflua.oneliner_values")

local M = {}

local DEFAULT_KEYS, DEFAULT_STACKS = 10240, 16384

-- A key lies on a program's stack, of 512 bytes.
M.MOST_KEY_BYTES, M.MOST_EVENT_BYTES = 384, 16384

-- The map that stacks are kept in.
M.STACKS = ("BPF_STACK_TRACE(stacks, %d);"):format(DEFAULT_STACKS)

local function quoted(literal)
    return '"' .. literal:gsub('[\\"]', "\\%0") .. '"'
end

-- The options that rule events out, as statements.
local function filter_lines(request, probe, used, builtin_only)
    local options, lines = request.options, {}
    local conditions = {}
    if options.pid then
        conditions[1] = ("pid == %d"):format(options.pid)
    end
    if options.comm then
        conditions[#conditions + 1] = "comm == " .. quoted(options.comm)
    end
    if options.filter and not builtin_only then
        conditions[#conditions + 1] = options.filter
    end
    local texts = 0
    for _, condition in ipairs(conditions) do
        local rewritten = values.rewrite(probe, condition, request.what, texts)
        texts = rewritten.texts
        for _, line in ipairs(rewritten.before) do
            lines[#lines + 1] = line
        end
        for number in pairs(rewritten.fields) do
            used[number] = true
        end
        lines[#lines + 1] = ("if (!(%s)) return 0;"):format(rewritten.expression)
    end
    return lines
end

---Notes the fields that these values are made of.
---@param used table<integer, true>
---@param found table[]
function M.note_used(used, found)
    for _, one in ipairs(found) do
        if one.field then
            used[one.field] = true
        end
        for number in pairs(one.fields or {}) do
            used[number] = true
        end
    end
end

---Adds the statements that fill members of a struct.
---@param lines string[]
---@param found table[]
---@param members table[]
---@param place string what stands in front of a member: "key."
function M.fill_lines(lines, found, members, place)
    for i, member in ipairs(members) do
        for _, line in ipairs(found[i].before or {}) do
            lines[#lines + 1] = line
        end
        lines[#lines + 1] = values.fill(found[i], member, place)
    end
end

local function total_size(members)
    local size = 0
    for _, member in ipairs(members) do
        size = size + (member.kind == "probe" and 8 or member.kind == "stack" and 4 or member.size)
    end
    return size
end

---Raises when members take more bytes than there is room for.
---@param request table
---@param members table[]
---@param most integer
function M.check_size(request, members, most)
    local size = total_size(members)
    if size > most then
        errors.fail({
            what = request.what,
            why = ("its values take %d bytes, and there is room for %d"):format(size, most),
            hints = { "the option `strings` keeps fewer bytes of each text" },
        })
    end
end

---Whether one of these is a stack.
---@param members table[]
---@return boolean
function M.has_stack(members)
    for _, member in ipairs(members) do
        if member.kind == "stack" then
            return true
        end
    end
    return false
end

-- ---------------------------------------------------------------- making it

---The declarations of a text that counts by keys.
---@param request table
---@param members table[] of the key
---@param more? string[] other members
---@param maps string[] `MAX` in them is how many keys there is room for
---@return string[]
function M.declarations_for(request, members, more, maps)
    local list = { text.structure("key_t", members, more) }
    if M.has_stack(members) then
        list[#list + 1] = M.STACKS
    end
    for _, line in ipairs(maps) do
        list[#list + 1] = (line:gsub("MAX", tostring(request.options.max_keys or DEFAULT_KEYS)))
    end
    return list
end

local function compile(request, code)
    local filter = request.options.filter
    if not filter then
        return require("bpflua.bpf")({ text = code })
    end
    local evidence = { "it is a C expression over the names of the probe" }
    return c_expression.compile({ text = code }, ("cannot use the filter `%s`"):format(filter), evidence)
end

local function attach(self, request, groups)
    local ok, failure = pcall(function()
        for _, of_one_side in ipairs(groups) do
            for _, group in ipairs(of_one_side) do
                text.attach(self.bpf, group, request.options.pid)
            end
        end
    end)
    if not ok then
        self.bpf:close()
        error(failure, 0)
    end
end

---Compiles and attaches; what comes of it is running.
---@param request table
---@param of string
---@param code string
---@param groups table[][]
---@return bpflua.Oneliner
function M.create(request, of, code, groups)
    local self = {
        kind = of,
        spec = table.concat(request.specs, ", "),
        options = request.options,
        code = code,
        probes = request.probes,
        members = request.members,
        is_running = true,
        timers = {},
        started = require("bpflua.cfunctions").clock_now(),
    }
    self.bpf = compile(request, code)
    attach(self, request, groups)
    return show.adopt(self)
end

---The bodies of the functions, one for each probe.
---@param request table
---@param probes table[]
---@param found table[][]
---@param members table[]
---@param make fun(lines: string[], found: table[], members: table[], probe: table, used: table) adds the statements
---@return table[]
function M.bodies_of(request, probes, found, members, make)
    local bodies = {}
    for i, probe in ipairs(probes) do
        local used = {}
        M.note_used(used, found[i])
        local lines = filter_lines(request, probe, used)
        make(lines, found[i], members, probe, used)
        bodies[i] = text.body(probe, used, lines)
    end
    return bodies
end

return M
