-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The values that one-liners count by, measure and print: from the name that the user gives one to the C that copies it
-- out, and from what came out to text.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

local TASK = "((struct task_struct *)bpf_get_current_task())"

-- What every probe has, in the order in which errors list it.
local BUILTINS = {
    { "comm", shape = "comm" },
    { "pid", shape = "int", size = 4, expression = "(u32)(bpf_get_current_pid_tgid() >> 32)" },
    { "tid", shape = "int", size = 4, expression = "(u32)bpf_get_current_pid_tgid()" },
    { "ppid", shape = "int", size = 4, expression = "(u32)" .. TASK .. "->real_parent->tgid" },
    { "uid", shape = "int", size = 4, expression = "(u32)bpf_get_current_uid_gid()" },
    { "gid", shape = "int", size = 4, expression = "(u32)(bpf_get_current_uid_gid() >> 32)" },
    { "cpu", shape = "int", size = 4, expression = "bpf_get_smp_processor_id()" },
    { "cgroup", shape = "int", size = 8, expression = "bpf_get_current_cgroup_id()" },
    { "nsecs", shape = "int", size = 8, expression = "bpf_ktime_get_ns()" },
    { "probe", shape = "probe" },
    { "func", shape = "probe" },
    { "kstack", shape = "stack" },
    { "ustack", shape = "stack", user = true },
}

local builtin, builtin_names = {}, {}
for i, one in ipairs(BUILTINS) do
    builtin[one[1]], builtin_names[i] = one, one[1]
end

---The names that every probe has.
---@return string[]
function M.builtins()
    return builtin_names
end

---@class OnelinerProbe one probe that the user's text stands for
---@field handle userdata
---@field facts table what it is; see `native.probes.describe`
---@field number integer its place among all, from 1

---@class OnelinerFound a value of one probe
---@field shape string
---@field expression? string C
---@field size? integer bytes
---@field signed? boolean
---@field field? integer the number of the field that it comes from

-- ---------------------------------------------------------------- names to C

-- What a path or a word means to a probe; nil when it is no name.
local function find_name(probe, name, what)
    local own = name:match("^args%.(.*)$") or name:match("^args%->(.*)$")
    if not own and builtin[name] then
        return builtin[name]
    end
    return native.probes.find(probe.handle, own or name, what)
end

-- Words that are C's or the kernel's rather than the user's: they are left to the compiler.
local C_WORDS = {}
for word in ("int char long short unsigned signed void struct union enum const sizeof bool u8 u16 u32 u64 s8 s16 s32 s64"):gmatch("%S+") do
    C_WORDS[word] = true
end

local function is_left_alone(name, after)
    return C_WORDS[name] or name:find("^[%u_][%u%d_]*$") or after:find("^%s*%(")
end

local NUMBERS = { int = true, bool = true, enum = true, pointer = true }
local TEXTS = { text = true, text_array = true, record_text = true, comm = true }

-- The address of a text in a tracepoint's record.
local function record_address(found)
    local place = found.expression:gsub("^args%->", found.relative and "args->rel_loc_" or "args->data_loc_")
    local from = found.relative and ("(void *)&%s + 4"):format(place) or "(void *)args"
    return ("(%s + (%s & 0xffff))"):format(from, place)
end

-- The statement that copies a text to a place of so many bytes.
local function copy_text(found, place, size)
    if found.shape == "comm" then
        return ("bpf_get_current_comm(%s, %d);"):format(place, size)
    elseif found.shape == "record_text" then
        return ("bpf_probe_read_kernel_str(%s, %d, %s);"):format(place, size, record_address(found))
    elseif found.shape == "text_array" then
        return ("bpf_probe_read_kernel_str(%s, %d, (void *)(%s));"):format(place, size, found.expression)
    end
    -- What may be of user or of kernel memory: the helper asks the address.
    local helper = found.user and "bpf_probe_read_user_str" or "bpf_probe_read_str"
    return ("%s(%s, %d, (void *)(%s));"):format(helper, place, size, found.expression)
end

---@class OnelinerRewriting an expression on its way to C
---@field probe OnelinerProbe
---@field what string the headline of an error
---@field before string[] statements that must stand before it
---@field fields table<integer, true> the fields that it uses
---@field texts integer how many texts were copied

-- `comm == "bash"`: the text is copied and compared.
local function comparison(state, found, rest)
    local operator, literal, after = rest:match('^%s*([=!]=)%s*"([^"]*)"()')
    if not operator then
        errors.fail({
            what = state.what,
            why = ("`%s` is text, and text is only compared: %s == \"…\""):format(state.name, state.name),
        })
    end
    state.texts = state.texts + 1
    local variable, size = "text" .. state.texts, #literal + 2
    if found.shape == "comm" then
        size = math.max(size, 16)
    end
    state.before[#state.before + 1] = ("char %s[%d] = {};"):format(variable, size)
    state.before[#state.before + 1] = copy_text(found, variable, size)
    local same = ('same_text(%s, "%s", %d)'):format(variable, literal, #literal + 1)
    return operator == "==" and same or "!" .. same, after
end

local function note_field(state, found)
    if found.field then
        state.fields[found.field] = true
    end
end

local function fail_name(probe, name, what)
    local root = name:match("^[%w_]+") or name
    native.probes.no_field(probe.handle, root == "args" and name:match("^args%W+([%w_]+)") or root, builtin_names, what)
end

-- One name of an expression: its C, and where the text goes on.
local function rewrite_name(state, name, rest)
    local found = find_name(state.probe, name, state.what)
    if not found then
        if is_left_alone(name, rest) then
            return name, 1
        end
        fail_name(state.probe, name, state.what)
    end
    note_field(state, found)
    state.name = name
    if TEXTS[found.shape] then
        return comparison(state, found, rest)
    elseif not NUMBERS[found.shape] then
        errors.fail({ what = state.what, why = ("`%s` is no number"):format(name) })
    end
    return "(" .. found.expression .. ")", 1
end

-- A name with the members behind it, from a place in a text.
local function path_at(text, at)
    local stop = select(2, text:find("^[%a_][%w_]*", at))
    while stop do
        local more = select(2, text:find("^%.[%a_][%w_]*", stop + 1)) or select(2, text:find("^%->[%a_][%w_]*", stop + 1))
            or select(2, text:find("^%[%d+%]", stop + 1))
        if not more then
            return text:sub(at, stop)
        end
        stop = more
    end
end

---A C expression over the names of a probe, as C.
---@param probe OnelinerProbe
---@param text string
---@param what string the headline of an error
---@param texts? integer how many texts the function copies already
---@return {expression: string, before: string[], fields: table<integer, true>, texts: integer}
function M.rewrite(probe, text, what, texts)
    local state = { probe = probe, what = what, before = {}, fields = {}, texts = texts or 0 }
    local pieces, at = {}, 1
    while at <= #text do
        local literal = text:match('^"[^"]*"', at) or text:match("^'[^']*'", at) or text:match("^%d[%w.]*", at)
        local path = not literal and path_at(text, at)
        if literal then
            pieces[#pieces + 1], at = literal, at + #literal
        elseif path then
            local rest = text:sub(at + #path)
            local c, after = rewrite_name(state, path, rest)
            pieces[#pieces + 1], at = c, at + #path + after - 1
        else
            pieces[#pieces + 1], at = text:sub(at, at), at + 1
        end
    end
    return { expression = table.concat(pieces), before = state.before, fields = state.fields, texts = state.texts }
end

-- `str(arg0)`: what a number or a pointer points to, as text.
local function as_text(probe, inside, what)
    local found = find_name(probe, inside, what)
    if not found then
        fail_name(probe, inside, what)
    elseif TEXTS[found.shape] then
        return found
    end
    local user = probe.facts.kind:find("^u") ~= nil
    return { shape = "text", user = user, expression = found.expression, field = found.field }
end

local function check_shown(found, name, what)
    if found.shape == "record" then
        errors.fail({
            what = what,
            why = ("`%s` is a `%s`, which has no value of its own"):format(name, found.c_type),
            evidence = { "its members are " .. table.concat(found.members, ", ") },
            hints = found.members[1] and { ("name one: `%s.%s`"):format(name, found.members[1]) },
        })
    elseif found.shape == "opaque" then
        errors.fail({ what = what, why = ("`%s` is a `%s`, which cannot be shown"):format(name, found.c_type or "?") })
    end
end

---The value that a text of the user's means to a probe: a name, a path to a member, `str(…)`, or a C expression.
---@param probe OnelinerProbe
---@param text string
---@param what string the headline of an error
---@return OnelinerFound
function M.find(probe, text, what)
    text = text:match("^%s*(.-)%s*$")
    local inside = text:match("^str%s*%(%s*(.-)%s*%)$")
    if inside then
        return as_text(probe, inside, what)
    end
    local found = find_name(probe, text, what)
    if found then
        check_shown(found, text, what)
        return found
    elseif text == "" or path_at(text, 1) == text then
        fail_name(probe, text, what)
    end
    local rewritten = M.rewrite(probe, text, what)
    return { shape = "int", size = 8, signed = true, expression = rewritten.expression, fields = rewritten.fields, before = rewritten.before }
end

-- ---------------------------------------------------------------- members of keys and events

---@class OnelinerMember a value as it lies in a key or an event
---@field name string the user's name of it
---@field member string its name in C
---@field kind "number"|"text"|"bytes"|"stack"|"probe"
---@field size integer bytes of a number, text or bytes
---@field signed? boolean
---@field names? table<number, string>
---@field is_pointer? boolean
---@field user? boolean of a stack
---@field cut? boolean the text may be longer than its place

local function kind_of(found)
    return NUMBERS[found.shape] and "number" or TEXTS[found.shape] and "text" or found.shape
end

local function size_of(found, room)
    if found.shape == "text_array" then
        return math.min(found.size + 1, math.max(room, 16))
    elseif found.shape == "comm" then
        return 16
    end
    return TEXTS[found.shape] and room or found.size or found.shape == "pointer" and 8 or 1
end

local function unite(member, found, probe, what, room)
    local kind = kind_of(found)
    if kind ~= member.kind then
        errors.fail({
            what = what,
            why = ("`%s` is %s of `%s`, and %s of others"):format(member.name, kind, probe.facts.text, member.kind),
        })
    end
    member.size = math.max(member.size, size_of(found, room))
    member.signed = member.signed or found.signed
    member.names = member.names or found.names
    member.is_pointer = member.is_pointer or found.shape == "pointer"
    member.cut = member.cut or found.shape == "text" or found.shape == "record_text"
end

---The member that holds a value, whichever of the probes it comes from.
---@param name string as the user gave it
---@param number integer its place, from 1
---@param found OnelinerFound[] by probe
---@param probes OnelinerProbe[]
---@param what string the headline of an error
---@param room integer bytes for a text
---@return OnelinerMember
function M.member(name, number, found, probes, what, room)
    local first = found[1]
    local member = { name = name, member = "v" .. number, kind = kind_of(first), size = 0, user = first.user or false }
    for i, one in ipairs(found) do
        unite(member, one, probes[i], what, room)
    end
    return member
end

---The C declaration of a member.
---@param member OnelinerMember
---@return string
function M.declaration(member)
    local kind, name = member.kind, member.member
    if kind == "text" then
        return ("char %s[%d];"):format(name, member.size)
    elseif kind == "bytes" then
        return ("u8 %s[%d];"):format(name, member.size)
    elseif kind == "stack" then
        return ("int %s;"):format(name)
    elseif kind == "probe" then
        return ("u64 %s;"):format(name)
    end
    return ("%s%d %s;"):format(member.signed and "s" or "u", member.size * 8, name)
end

---The C statements that put a probe's value into a member.
---@param found OnelinerFound
---@param member OnelinerMember
---@param place string what the member is of, with its dot or arrow
---@return string
function M.fill(found, member, place)
    local target = place .. member.member
    if member.kind == "text" then
        local size = found.shape == "text_array" and math.min(found.size + 1, member.size) or member.size
        return copy_text(found, "&" .. target, found.shape == "comm" and 16 or size)
    elseif member.kind == "bytes" then
        return ("bpf_probe_read_kernel(&%s, %d, (void *)(%s));"):format(target, found.size, found.expression)
    elseif member.kind == "stack" then
        return ("%s = stacks.get_stackid(ctx, %s);"):format(target, found.user and "BPF_F_USER_STACK" or "0")
    elseif member.kind == "probe" then
        return ("%s = PROBE_ID;"):format(target)
    end
    return ("%s = (%s%d)(%s);"):format(target, member.signed and "s" or "u", member.size * 8, found.expression)
end

-- ---------------------------------------------------------------- to text

-- Addresses of the internet are known by their size and name only.
local function bytes_text(member, bytes)
    local is_address = member.name:find("addr") ~= nil
    if is_address and (#bytes == 4 or #bytes == 16) then
        local family = #bytes == 4 and 2 or 10
        local ok, text = pcall(require("bpflua.net").inet_ntop, family, bytes)
        if ok then
            return text
        end
    end
    return (bytes:gsub(".", function(byte)
        return ("%02x"):format(byte:byte())
    end))
end

local function probe_text(member, number, probes)
    local id = tonumber(number)
    local probe = probes[id]
    if probe then
        return member.name == "func" and probe.facts.short_name or probe.facts.text
    end
    -- Otherwise the address of a function.
    local name = require("bpflua.symbols").ksym(number)
    return member.name == "func" and name or probes[1].facts.kind .. ":" .. name
end

---A member's value as Lua has it: numbers as numbers while they are exact, text as strings, a stack as its number.
---@param member OnelinerMember
---@param record ffi.cdata* the key or event
---@param probes OnelinerProbe[]
---@return any
function M.read(member, record, probes)
    local value = record[member.member]
    if member.kind == "text" then
        local text = type(value) == "string" and value or ffi.string(value, member.size):match("^[^%z]*")
        return text
    elseif member.kind == "bytes" then
        return bytes_text(member, ffi.string(value, member.size))
    elseif member.kind == "probe" then
        return probe_text(member, value, probes)
    end
    local number = tonumber(value)
    if member.names then
        return member.names[number] or number
    elseif member.is_pointer then
        return number == 0 and "0x0" or ("0x%x"):format(ffi.cast("uint64_t", value))
    end
    return number and math.abs(number) < 2 ^ 53 and number or value
end

---Whether a text was cut because its place ended.
---@param member OnelinerMember
---@param text any
---@return boolean
function M.is_cut(member, text)
    return member.cut == true and type(text) == "string" and #text >= member.size - 1
end

return M
