-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Probes in bcc's spelling, for tools that take any: `vfs_read`, `c:malloc`, `r::vfs_read`, `t:sched:sched_switch`,
-- `u:node:gc__start`, each with `*`, or a regular expression. What shares a program, and how it is attached, is as for one-liners.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local symbols = require("bpflua.symbols")
local text = require("bpflua.oneliner_text")

local M = {}

-- Probes of one pattern at most: more are a slip, and attaching each takes the kernel a while.
local MOST_PROBES = 4000
local FORMS = {
    p = "p:LIBRARY:FUNCTION, p::FUNCTION of the kernel, or FUNCTION",
    r = "r:LIBRARY:FUNCTION, or r::FUNCTION of the kernel",
    t = "t:CATEGORY:EVENT",
    u = "u:LIBRARY:[PROVIDER:]PROBE",
}

---@class ToolProbeSpec
---@field text string as it was written
---@field type "p"|"r"|"t"|"u" entry, return, tracepoint, USDT
---@field library string a program or library; a tracepoint's category; empty: the kernel
---@field name string the function, event or probe; of USDT with `PROVIDER:` before it when that was given

local function malformed(spec, why)
    local forms = {}
    for _, letter in ipairs({ "p", "r", "t", "u" }) do
        forms[#forms + 1] = FORMS[letter]
    end
    errors.fail({ what = ("cannot use the probe `%s`"):format(spec), why = why, evidence = { "probes are written " .. table.concat(forms, "; ") } })
end

---Takes a probe apart.
---@param spec string
---@return ToolProbeSpec
function M.parse(spec)
    local parts = {}
    for part in (spec .. ":"):gmatch("([^:]*):") do
        parts[#parts + 1] = part
    end
    if #parts == 1 then
        parts = { "p", "", parts[1] }
    elseif #parts == 2 then
        if FORMS[parts[1]] then
            malformed(spec, ("it is not of the form %s"):format(FORMS[parts[1]]))
        end
        parts = { "p", parts[1], parts[2] }
    end
    local letter = parts[1] == "" and "p" or parts[1]
    if not FORMS[letter] then
        malformed(spec, ("`%s` is no kind of probe"):format(letter))
    end
    local name = table.concat(parts, ":", 3)
    if name == "" or (letter == "t" or letter == "u") and parts[2] == "" then
        malformed(spec, ("it is not of the form %s"):format(FORMS[letter]))
    end
    return { text = spec, type = letter, library = parts[2], name = name }
end

-- As `native.probes.expand` takes it, with another name in the place of the own one.
local function spelled(spec, name)
    if spec.type == "t" then
        return ("tracepoint:%s:%s"):format(spec.library, name)
    elseif spec.type == "u" then
        return ("usdt:%s:%s"):format(spec.library, name)
    elseif spec.library ~= "" then
        return ("%s:%s:%s"):format(spec.type == "p" and "uprobe" or "uretprobe", spec.library, name)
    end
    return ("%s:%s"):format(spec.type == "p" and "kprobe" or "kretprobe", name)
end

-- The names that a regular expression finds from their starts, as Python's `re.match` does.
local function names_matching(spec, what)
    local regex = "(?:" .. spec.name .. ").*"
    local found, prefix = {}, ""
    if spec.type == "t" then
        prefix = spec.library .. ":"
        found = BPF.get_tracepoints(prefix:gsub("%p", "\\%0") .. regex)
    elseif spec.type == "u" then
        errors.fail({ what = what, why = "regular expressions are for functions and tracepoints", hints = { ("write `u:%s:*`"):format(spec.library) } })
    elseif spec.library ~= "" then
        found = BPF.get_user_functions(spec.library, regex)
    else
        found = BPF.get_kprobe_functions(regex)
    end
    local names = {}
    for i, name in ipairs(found) do
        names[i] = name:sub(#prefix + 1)
    end
    if #names == 0 then
        errors.fail({ what = what, why = ("nothing has a name that `%s` matches"):format(spec.name) })
    end
    return names
end

---The probes that a specification stands for.
---@param spec ToolProbeSpec
---@param options? {regexp?: boolean, pid?: integer, first?: integer} `first`: the number of the first of them (default 1)
---@return OnelinerProbe[]
function M.expand(spec, options)
    options = options or {}
    local what = ("cannot use the probe `%s`"):format(spec.text)
    local names = options.regexp and names_matching(spec, what) or { spec.name }
    if #names > MOST_PROBES then
        errors.fail({ what = what, why = ("it matches %d names, and %d are the most"):format(#names, MOST_PROBES) })
    end
    local probes, first = {}, options.first or 1
    for _, name in ipairs(names) do
        for _, handle in ipairs(native.probes.expand(spelled(spec, name), options.pid, what)) do
            probes[#probes + 1] = { handle = handle, facts = native.probes.describe(handle, what), number = first + #probes, spec = spec }
        end
    end
    if #probes > MOST_PROBES then
        errors.fail({ what = what, why = ("it matches %d probes, and %d are the most"):format(#probes, MOST_PROBES) })
    end
    return probes
end

---What a probe is called in a tool's output.
---@param probe OnelinerProbe
---@return string
function M.name(probe)
    local facts = probe.facts
    if facts.kind == "tracepoint" then
        return facts.category .. ":" .. facts.name
    end
    return facts.short_name
end

---The probe behind the number that its program gave (`PROBE_ID`).
---@param probes OnelinerProbe[] in the order of their numbers
---@param id integer|ffi.cdata*
---@return string
function M.name_of(probes, id)
    local probe = probes[tonumber(id)]
    -- Functions of the kernel that share a program are told by their addresses.
    return probe and M.name(probe) or symbols.ksym(id)
end

---What every tool of this kind filters by: constants of the text and a condition. `pid`, `tid`, `uid` and `cpu` are theirs.
M.FILTER = [[
const volatile u32 only_pid = 0, only_tid = 0, not_pid = 0;
const volatile s64 only_uid = -1, only_cpu = -1;

static __always_inline bool is_wanted(void)
{
	u64 id = bpf_get_current_pid_tgid();
	if (only_pid && (id >> 32) != only_pid)
		return false;
	if (only_tid && (u32)id != only_tid)
		return false;
	if (not_pid && (id >> 32) == not_pid)
		return false;
	if (only_uid != -1 && (u32)bpf_get_current_uid_gid() != only_uid)
		return false;
	return only_cpu == -1 || bpf_get_smp_processor_id() == only_cpu;
}
]]

---The constants of that filter.
---@param by {pid?: integer, tid?: integer, uid?: integer, cpu?: integer, not_pid?: integer}
---@return table<string, integer>
function M.filter_constants(by)
    return {
        only_pid = by.pid or 0, only_tid = by.tid or 0, not_pid = by.not_pid or 0, only_uid = by.uid or -1, only_cpu = by.cpu or -1,
    }
end

---@class ToolProbesSide what runs at one end of the probes
---@field prefix string of the functions' names
---@field probes OnelinerProbe[]
---@field lines fun(probe: OnelinerProbe): string[] the statements; `PROBE_ID` stands for the probe's number, `ctx` is the context

---Makes an object of a text, and attaches it.
---@param request {declarations: string, sides: ToolProbesSide[], constants: table, pid?: integer, verbose?: boolean}
---`verbose`: prints the text first
---@return bpflua.BPF
function M.start(request)
    local all = {}
    for i, side in ipairs(request.sides) do
        local bodies = {}
        for j, probe in ipairs(side.probes) do
            bodies[j] = text.body(probe, {}, side.lines(probe))
        end
        all[i] = text.groups(bodies, side.prefix, "cannot attach the tool")
    end
    local code = text.text({ M.FILTER, request.declarations }, all)
    if request.verbose then
        io.stderr:write(code, "\n")
    end
    local b = BPF({ text = code, constants = request.constants, attach = false })
    for _, groups in ipairs(all) do
        for _, group in ipairs(groups) do
            text.attach(b, group, request.pid)
        end
    end
    return b
end

---The probes at the returns of functions, in the order of those at their entries.
---@param spec ToolProbeSpec
---@param entries OnelinerProbe[]
---@param options table as for `expand`
---@return OnelinerProbe[]
function M.returns_of(spec, entries, options)
    if spec.type ~= "p" then
        errors.fail({ what = ("cannot time `%s`"):format(spec.text), why = "only functions have a beginning and an end: FUNCTION, or LIBRARY:FUNCTION" })
    end
    local by_name, returns = {}, {}
    local other = { text = spec.text, type = "r", library = spec.library, name = spec.name }
    for _, probe in ipairs(M.expand(other, options)) do
        by_name[probe.facts.short_name] = probe
    end
    for i, entry in ipairs(entries) do
        local probe = by_name[entry.facts.short_name]
        if not probe then
            errors.fail({ what = ("cannot time `%s`"):format(entry.facts.short_name), why = "its return cannot be probed" })
        end
        probe.number = entry.number
        returns[i] = probe
    end
    return returns
end

---What is to be said when tracing begins.
---@param count integer
---@return string
function M.tracing(count)
    return ("Tracing %d %s... Hit Ctrl-C to end."):format(count, count == 1 and "probe" or "probes")
end

return M
