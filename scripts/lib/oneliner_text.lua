-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The C text of a one-liner, in the dialect of any other: a structure of the values, its maps, a function for each group
-- of probes that look alike; and how each function is attached.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local syscalls = require("bpflua.oneliner_syscalls")
local values = require("bpflua.oneliner_values")

local M = {}

-- The kernel tells a program which of its attachments it runs for: by a number of ours, or by the function's address.
local BY_COOKIE = { tracepoint = true, uprobe = true, uretprobe = true }
local BY_ADDRESS = { kprobe = true, kretprobe = true }
-- More programs than this for one line are a slip.
local MOST_FUNCTIONS = 200

local SAME_TEXT = [[
static __always_inline int same_text(const char *text, const char *other, int size)
{
#pragma unroll
	for (int i = 0; i < size; i++)
		if (text[i] != other[i])
			return 0;
	return 1;
}
]]

-- ---------------------------------------------------------------- one function

local function holder_of(field)
    return field.holder:find("%*$") and field.holder or field.holder .. " "
end

-- Parameters up to the last that is used; those between are there for their places.
local function parameters(fields, used)
    local last, list = 0, {}
    for number in pairs(used) do
        last = math.max(last, number)
    end
    for number = 1, last do
        local field = fields[number]
        list[number] = used[number] and holder_of(field) .. "f_" .. field.name or "u64 unused_" .. number
    end
    return list
end

-- Every parameter, as functions by BTF have it.
local function all_parameters(fields)
    local list = {}
    for number, field in ipairs(fields) do
        list[number] = holder_of(field) .. "f_" .. field.name
    end
    return list
end

local function joined(first, list)
    return table.concat({ first, unpack(list) }, ", ")
end

-- Values that a program has to fetch before it can use them, one statement each.
local function fetched(probe, fields, used)
    local kind, lines = probe.facts.kind, {}
    for number, field in ipairs(fields) do
        local variable = holder_of(field) .. "f_" .. field.name
        if not used[number] then
            lines = lines
        elseif kind == "kretprobe" or kind == "uretprobe" then
            lines[#lines + 1] = ("%s = (%s)PT_REGS_RC(ctx);"):format(variable, field.holder)
        elseif kind == "rawtracepoint" then
            lines[#lines + 1] = ("%s = (%s)ctx->args[%d];"):format(variable, field.holder, number - 1)
        elseif kind == "usdt" then
            lines[#lines + 1] = ("%s = 0; bpf_usdt_readarg(%d, ctx, &f_%s);"):format(variable, number, field.name)
        end
    end
    return lines
end

local function by_btf(probe, macro, module_macro, fields)
    local facts, list = probe.facts, all_parameters(fields)
    if facts.module and facts.module ~= "vmlinux" then
        return module_macro .. "(" .. joined(facts.module .. ", " .. facts.name, list) .. ")"
    end
    return macro .. "(" .. joined(facts.name, list) .. ")"
end

-- The head of a function, by the kind of its probe.
local function head(probe, name, fields, used)
    local kind, facts = probe.facts.kind, probe.facts
    if kind == "kprobe" or kind == "uprobe" then
        return ("int %s(%s)"):format(name, joined("struct pt_regs *ctx", parameters(fields, used)))
    elseif kind == "kretprobe" or kind == "uretprobe" or kind == "usdt" then
        return ("int %s(struct pt_regs *ctx)"):format(name)
    elseif kind == "fentry" then
        return by_btf(probe, "KFUNC_PROBE", "MODULE_KFUNC_PROBE", fields)
    elseif kind == "fexit" then
        return by_btf(probe, "KRETFUNC_PROBE", "MODULE_KRETFUNC_PROBE", fields)
    elseif kind == "tracepoint" then
        return ("int %s(struct tracepoint__%s__%s *args)"):format(name, facts.category, facts.name)
    elseif kind == "rawtracepoint" then
        return ("int %s(struct bpf_raw_tracepoint_args *ctx)"):format(name)
    end
    return ("int %s(struct bpf_perf_event_data *ctx)"):format(name)
end

---@class OnelinerBody what a function does, before it is known which probes share it
---@field probe OnelinerProbe
---@field fields table the probe's fields, when any is used or the kind wants them
---@field used table<integer, true>
---@field lines string[]

local function uses_fields(probe, used)
    return next(used) ~= nil or probe.facts.kind == "fentry" or probe.facts.kind == "fexit"
end

-- What makes two bodies the same program: the lines, and where the fields are that they use.
local function likeness(body)
    local pieces = { body.probe.facts.kind .. (syscalls.side(body.probe) or ""), table.concat(body.lines, "\n") }
    for number in pairs(body.used) do
        local field = body.fields[number]
        pieces[#pieces + 1] = ("%d %s %s %s"):format(number, field.name, field.holder, tostring(field.offset))
    end
    table.sort(pieces)
    return table.concat(pieces, "\0")
end

local SHARED = { kprobe = true, kretprobe = true, tracepoint = true, uprobe = true, uretprobe = true }

local function can_be_shared(body, knows_itself)
    if not SHARED[body.probe.facts.kind] then
        return false
    end
    return knows_itself or not body.needs_id
end

---A body: what a probe's function does.
---@param probe OnelinerProbe
---@param used table<integer, true>
---@param lines string[]
---@return OnelinerBody
function M.body(probe, used, lines)
    local fields = uses_fields(probe, used) and native.probes.fields(probe.handle) or {}
    local needs_id = false
    for _, line in ipairs(lines) do
        needs_id = needs_id or line:find("PROBE_ID", 1, true) ~= nil
    end
    return { probe = probe, fields = fields, used = used, lines = lines, needs_id = needs_id }
end

-- ---------------------------------------------------------------- groups

---@class OnelinerGroup probes that share a function
---@field body OnelinerBody
---@field probes OnelinerProbe[]
---@field name string the function
---@field common? table what is attached in place of many system calls' tracepoints

---Puts bodies that are alike together.
---@param bodies OnelinerBody[]
---@param prefix string of the functions' names
---@param what string the headline of an error
---@return OnelinerGroup[]
function M.groups(bodies, prefix, what)
    local groups, known = {}, {}
    local knows_itself
    for _, body in ipairs(bodies) do
        if body.needs_id and knows_itself == nil then
            knows_itself = native.kernel.supports("attach cookie")
        end
        local key = can_be_shared(body, knows_itself) and likeness(body)
        local group = key and known[key]
        if not group then
            group = { body = body, probes = {}, name = prefix .. #groups + 1 }
            groups[#groups + 1] = group
            if key then
                known[key] = group
            end
        end
        group.probes[#group.probes + 1] = body.probe
    end
    for _, group in ipairs(groups) do
        group.common = syscalls.common(group)
    end
    if #groups > MOST_FUNCTIONS then
        errors.fail({
            what = what,
            why = ("it takes %d programs, one for each probe"):format(#groups),
            hints = { "name fewer probes, or other kinds of them: kprobes and tracepoints that look alike share one program" },
        })
    end
    return groups
end

---The C that stands for a probe's number in a group's function: the number itself, a cookie, or the function's address.
---@param group OnelinerGroup
---@return string
function M.probe_id(group)
    local kind = group.body.probe.facts.kind
    if group.common then
        return "probe"
    elseif #group.probes == 1 then
        return ("%dULL"):format(group.probes[1].number)
    elseif BY_ADDRESS[kind] then
        return "bpf_get_func_ip(ctx)"
    end
    return BY_COOKIE[kind] and "bpf_get_attach_cookie(ctx)" or "0"
end

---The C of a group's function.
---@param group OnelinerGroup
---@return string
function M.function_text(group)
    local body, common = group.body, group.common
    local lines = { head(body.probe, group.name, body.fields, body.used), "{" }
    if common then
        local declaration
        declaration, common.statements = syscalls.code(common, group.name)
        local record = "tracepoint__raw_syscalls__sys_" .. common.side
        lines = { declaration, ("int %s(struct %s *args)"):format(group.name, record), "{" }
    end
    if body.probe.facts.kind == "tracepoint" then
        lines[#lines + 1] = "\tvoid *ctx = args;"
    end
    for _, line in ipairs(common and common.statements or {}) do
        lines[#lines + 1] = "\t" .. line
    end
    for _, line in ipairs(fetched(body.probe, body.fields, body.used)) do
        lines[#lines + 1] = "\t" .. line
    end
    local id = M.probe_id(group)
    for _, line in ipairs(body.lines) do
        lines[#lines + 1] = "\t" .. line:gsub("PROBE_ID", id)
    end
    lines[#lines + 1] = "\treturn 0;\n}\n"
    return table.concat(lines, "\n")
end

---The whole text.
---@param declarations string[]
---@param groups OnelinerGroup[][]
---@return string
function M.text(declarations, groups)
    local functions, pieces = {}, { "#include <linux/sched.h>\n" }
    for _, of_one_side in ipairs(groups) do
        for _, group in ipairs(of_one_side) do
            functions[#functions + 1] = M.function_text(group)
        end
    end
    local code = table.concat(functions, "\n")
    if code:find("same_text(", 1, true) then
        pieces[#pieces + 1] = SAME_TEXT
    end
    pieces[#pieces + 1] = table.concat(declarations, "\n")
    pieces[#pieces + 1] = "\n" .. code
    return table.concat(pieces, "\n")
end

---The C of a structure of members.
---@param name string
---@param members OnelinerMember[]
---@param more? string[] other declarations in it
---@return string
function M.structure(name, members, more)
    local lines = { ("struct %s {"):format(name) }
    for _, member in ipairs(members) do
        lines[#lines + 1] = "\t" .. values.declaration(member)
    end
    for _, line in ipairs(more or {}) do
        lines[#lines + 1] = "\t" .. line
    end
    lines[#lines + 1] = "};"
    return table.concat(lines, "\n")
end

-- ---------------------------------------------------------------- attaching

local function escaped(name)
    return (name:gsub("[^%w_]", "\\%0"))
end

local function attach_kprobes(bpf, group)
    local attach = group.body.probe.facts.kind == "kprobe" and bpf.attach_kprobe or bpf.attach_kretprobe
    local first, names = group.probes[1].facts, {}
    for i, probe in ipairs(group.probes) do
        names[i] = escaped(probe.facts.name)
    end
    if #names > 1 then
        return attach(bpf, { event_re = table.concat(names, "|"), fn_name = group.name })
    end
    local options = { event = first.name, fn_name = group.name }
    if first.offset ~= 0 then
        options.event_off = first.offset
    end
    attach(bpf, options)
end

local function attach_uprobe(bpf, group, probe, pid)
    local facts = probe.facts
    local address = facts.name:match("^0x%x+$") or facts.name:match("^%d+$")
    native.attach.uprobe(bpf:_object(), {
        name = facts.path,
        sym = not address and facts.name or nil,
        addr = address and tonumber(address) or nil,
        sym_off = not address and facts.offset or nil,
        pid = pid,
        fn_name = group.name,
        retprobe = facts.kind == "uretprobe",
        cookie = probe.number,
    })
end

local PERF = { software = 1, hardware = 0 }
-- Clocks count nanoseconds; what the processor counts comes by the million.
local DEFAULT_PERIOD = { software = 1, hardware = 1000000 }

local function attach_perf(bpf, group, probe, pid)
    local facts = probe.facts
    local options = { fn_name = group.name, pid = pid }
    if PERF[facts.kind] then
        options.ev_type, options.ev_config = PERF[facts.kind], facts.number
        local is_clock = facts.kind == "software" and facts.number < 2
        options.sample_period = facts.period or is_clock and 1000000 or DEFAULT_PERIOD[facts.kind]
    else
        options.ev_type, options.ev_config = PERF.software, 0
        options.sample_freq = facts.hertz
        options.sample_period = facts.nanoseconds
        options.cpu = facts.kind == "interval" and 0 or nil
    end
    bpf:attach_perf_event(options)
end

local function attach_one(bpf, group, probe, pid)
    local facts = probe.facts
    if facts.kind == "tracepoint" then
        local tp = facts.category .. ":" .. facts.name
        native.attach.tracepoint(bpf:_object(), { tp = tp, fn_name = group.name, cookie = probe.number })
    elseif facts.kind == "rawtracepoint" then
        bpf:attach_raw_tracepoint({ tp = facts.name, fn_name = group.name })
    elseif facts.kind == "uprobe" or facts.kind == "uretprobe" then
        attach_uprobe(bpf, group, probe, pid)
    elseif facts.kind == "usdt" then
        local path = facts.path ~= "*" and facts.path or nil
        bpf:attach_usdt({ path = path, pid = pid, provider = facts.provider, probe = facts.name, fn_name = group.name })
    else
        attach_perf(bpf, group, probe, pid)
    end
end

---Attaches a group's function to its probes. Functions by BTF attach by their names.
---@param bpf bpflua.BPF
---@param group OnelinerGroup
---@param pid? integer
function M.attach(bpf, group, pid)
    local kind = group.body.probe.facts.kind
    if group.common then
        return bpf:attach_tracepoint({ tp = "raw_syscalls:sys_" .. group.common.side, fn_name = group.name })
    elseif kind == "fentry" or kind == "fexit" then
        return
    elseif kind == "kprobe" or kind == "kretprobe" then
        return attach_kprobes(bpf, group)
    end
    for _, probe in ipairs(group.probes) do
        attach_one(bpf, group, probe, pid)
    end
end

return M
