-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- One probe of `trace`: `PROBE[(SIGNATURE)] [(FILTER)] ["FORMAT", VALUE, …]` taken apart, its C text, and its messages.

local ffi = require("ffi")
local expression = require("bpflua.tool_expression")
local format = require("bpflua.format")
local probes_of = require("bpflua.tool_probes")
local symbols = require("bpflua.symbols")
local text = require("bpflua.oneliner_text")

local M = {}

-- What a directive of a format takes out of the kernel, in C.
local C_TYPES = {
    u = "unsigned int", d = "int", lu = "unsigned long", ld = "long", llu = "unsigned long long", lld = "long long",
    hu = "unsigned short", hd = "short", x = "unsigned int", lx = "unsigned long", llx = "unsigned long long",
    p = "unsigned long long", c = "char", K = "unsigned long long", U = "unsigned long long", s = "text",
}
local SHARED = { kprobe = true, kretprobe = true, uprobe = true, uretprobe = true }

---@class ToolTrace
---@field spec ToolProbeSpec
---@field signature? string
---@field filter? string
---@field pieces (string|{flags: string, type: string})[] the format, taken apart
---@field values string[]
---@field state ToolExpression

-- The directives of a format and the text between them.
local function format_pieces(state, wanted)
    local pieces, at = {}, 1
    while at <= #wanted do
        local plain = wanted:match("^[^%%]+", at)
        local flags, kind = wanted:match("^%%([-+ #0]*%d*%.?%d*)(l?l?h?[udxscpKU])", at)
        if plain then
            pieces[#pieces + 1], at = plain, at + #plain
        elseif wanted:sub(at, at + 1) == "%%" then
            pieces[#pieces + 1], at = "%", at + 2
        elseif kind and C_TYPES[kind] then
            pieces[#pieces + 1], at = { flags = flags, type = kind }, at + 1 + #flags + #kind
        else
            expression.fail(state, ("the format has no directive `%s`"):format(wanted:match("^%%%S*", at) or "%"))
        end
    end
    return pieces
end

local ESCAPES = { n = "\n", t = "\t", ["\\"] = "\\", ['"'] = '"' }

local function parse_action(self, action)
    if action == "" then
        return
    end
    local wanted, rest = action:match('^"(.-)"%s*,?%s*(.*)$')
    if not wanted then
        expression.fail(self.state, ("`%s` is no format in quotes"):format(action))
    end
    self.pieces = format_pieces(self.state, (wanted:gsub("\\(.)", ESCAPES)))
    self.values = rest ~= "" and expression.split(rest) or {}
    local directives = 0
    for _, piece in ipairs(self.pieces) do
        directives = directives + (type(piece) == "table" and 1 or 0)
    end
    if directives ~= #self.values then
        expression.fail(self.state, ("the format takes %d values, and there are %d"):format(directives, #self.values))
    end
end

---Takes a probe of `trace` apart.
---@param written string
---@return ToolTrace
function M.parse(written)
    local head, rest = written:match("^%s*([^ \t(]+)(.*)$")
    local spec = probes_of.parse(head or "")
    local self = { spec = spec, pieces = {}, values = {}, state = expression.new(spec, written) }
    local signature = rest:match("^%b()")
    if signature then
        self.signature, rest = signature:sub(2, -2), rest:sub(#signature + 1)
        if spec.type == "t" or spec.type == "u" then
            expression.fail(self.state, "tracepoints and USDT probes have no signature; their values are args->FIELD, or arg1, arg2 …")
        end
    end
    rest = rest:match("^%s*(.-)%s*$")
    if rest:sub(1, 1) == "(" then
        self.filter = rest:match("^%b()")
        if not self.filter then
            expression.fail(self.state, "a parenthesis of the filter is not closed")
        end
        rest = rest:sub(#self.filter + 1)
    end
    parse_action(self, rest:match("^%s*(.-)%s*$"))
    return self
end

-- ---------------------------------------------------------------- the C text

local function kinds(self)
    local list = {}
    for _, piece in ipairs(self.pieces) do
        list[#list + 1] = type(piece) == "table" and piece.type or nil
    end
    return list
end

local function declarations(self, options)
    local members = {}
    for i, kind in ipairs(kinds(self)) do
        members[i] = kind == "s" and ("\tchar v%d[%d];"):format(i, options.string_size) or ("\t%s v%d;"):format(C_TYPES[kind], i)
    end
    return table.concat({
        "struct event_t {", "\tu64 probe, at;", "\tu32 pid, tid, uid, cpu;", "\tint kernel, user;", "\tchar comm[TASK_COMM_LEN];",
        table.concat(members, "\n"), "};", "BPF_PERF_OUTPUT(events);", "BPF_PERCPU_ARRAY(blank, struct event_t, 1);",
        "BPF_STACK_TRACE(stacks, 4096);", options.symbol_files and "BPF_STACK_TRACE_BUILDID(by_file, 4096);" or "", options.cgroup and "BPF_CGROUP_ARRAY(cgroup, 1);" or "",
    }, "\n")
end

local FILL = {
    "u32 zero = 0;",
    "struct event_t *event = blank.lookup(&zero);",
    "if (!event) return 0;",
    "event->at = bpf_ktime_get_ns();",
    "event->pid = bpf_get_current_pid_tgid() >> 32;",
    "event->tid = bpf_get_current_pid_tgid();",
    "event->uid = bpf_get_current_uid_gid();",
    "event->cpu = bpf_get_smp_processor_id();",
    "event->kernel = event->user = -14;",
    "bpf_get_current_comm(event->comm, sizeof(event->comm));",
}

local function value_lines(self)
    local lines, kinds_of = {}, kinds(self)
    for i, value in ipairs(self.values) do
        local c, is_user_arg = expression.c(self.state, value)
        local place = "event->v" .. i
        if kinds_of[i] == "s" then
            lines[i] = expression.copy_text(self.state, place, c, is_user_arg)
        else
            lines[i] = ("%s = (%s)(%s);"):format(place, C_TYPES[kinds_of[i]], c)
        end
    end
    return lines
end

local function append(lines, more)
    for _, line in ipairs(more) do
        lines[#lines + 1] = line
    end
end

local function body(self, options)
    local filter = self.filter and expression.c(self.state, self.filter)
    local values = value_lines(self)
    local lines = { "if (!is_wanted()) return 0;" }
    lines[#lines + 1] = options.cgroup and "if (cgroup.check_current_task(0) <= 0) return 0;" or nil
    append(lines, expression.usdt_lines(self.state))
    lines[#lines + 1] = filter and ("if (!(%s)) return 0;"):format(filter) or nil
    append(lines, FILL)
    lines[#lines + 1] = "event->probe = PROBE_ID;"
    append(lines, values)
    lines[#lines + 1] = options.kernel_stack and "event->kernel = stacks.get_stackid(ctx, 0);" or nil
    lines[#lines + 1] = options.user_stack and ("event->user = %s.get_stackid(ctx, BPF_F_USER_STACK);"):format(options.symbol_files and "by_file" or "stacks") or nil
    lines[#lines + 1] = "events.perf_submit(ctx, event, sizeof(*event));"
    lines[#lines + 1] = "return 0;\n}\n"
    return lines
end

---Functions for probes: one for all where the kernel tells a program which of them it runs for, else one each.
---@param probes OnelinerProbe[]
---@param prefix string of the functions' names
---@param state ToolExpression
---@return OnelinerGroup[]
function M.groups(probes, prefix, state)
    -- A program that reads arguments of a system call by name is known by its prefix.
    prefix = (state.is_syscall and "syscall__" or "") .. prefix
    local groups, by_kind = {}, {}
    for _, probe in ipairs(probes) do
        local kind = probe.facts.kind
        local group = SHARED[kind] and by_kind[kind]
        if not group then
            group = { name = prefix .. #groups + 1, probes = {}, body = { probe = probe } }
            groups[#groups + 1], by_kind[kind] = group, group
        end
        group.probes[#group.probes + 1] = probe
    end
    return groups
end

---The functions of groups, all with the same statements.
---@param groups OnelinerGroup[]
---@param signature? string
---@param lines string[] `PROBE_ID` stands for the probe's number
---@return string
function M.functions(groups, signature, lines)
    local pieces = {}
    for i, group in ipairs(groups) do
        local id = text.probe_id(group)
        pieces[i] = expression.head(group.body.probe, group.name, signature) .. "\n\t" .. table.concat(lines, "\n\t"):gsub("PROBE_ID", id)
    end
    return table.concat(pieces, "\n")
end

---Compiles it and attaches it.
---@param self ToolTrace
---@param options table the tool's arguments: `pid`, `string_size`, `include`, `kernel_stack`, `user_stack`, `symbol_files`, `cgroup`, `verbose`, and `constants`
---@return bpflua.BPF
function M.start(self, options)
    self.probes = probes_of.expand(self.spec, { pid = options.pid })
    local groups = M.groups(self.probes, "trace", self.state)
    local code = table.concat({
        expression.includes(options.include), expression.SAME_TEXT, probes_of.FILTER, declarations(self, options), "",
        M.functions(groups, self.signature, body(self, options)),
    }, "\n")
    if options.verbose then
        io.stderr:write(code, "\n")
    end
    local b = expression.compile(self.state, { text = code, constants = options.constants, attach = false })
    if options.cgroup then
        b.cgroup[0] = options.cgroup
    end
    for _, group in ipairs(groups) do
        text.attach(b, group, options.pid)
    end
    self.bpf = b
    return b
end

-- ---------------------------------------------------------------- messages

local function value_of(kind, value, pid)
    if kind == "s" then
        return format.plain(value)
    elseif kind == "K" then
        return symbols.ksym(value, false, true)
    elseif kind == "U" then
        return symbols.sym(value, pid, true, true)
    end
    return value
end

local function piece_text(piece, value)
    local kind = piece.type
    if kind == "s" or kind == "K" or kind == "U" then
        return ("%" .. piece.flags .. "s"):format(value)
    elseif kind == "c" then
        return string.char(value % 256)
    elseif kind == "p" then
        return ("0x%x"):format(value)
    end
    return ("%" .. piece.flags .. (kind:find("x") and "x" or "d")):format(value)
end

---The message of an event, and its values.
---@param self ToolTrace
---@param event ffi.cdata*
---@return string message
---@return any[] values
function M.message(self, event)
    local pieces, values = {}, {}
    for i, piece in ipairs(self.pieces) do
        if type(piece) == "string" then
            pieces[i] = piece
        else
            local number = #values + 1
            values[number] = value_of(piece.type, event["v" .. number], event.pid)
            pieces[i] = piece_text(piece, values[number])
        end
    end
    return table.concat(pieces), values
end

return M
