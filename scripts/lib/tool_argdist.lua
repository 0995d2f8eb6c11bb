-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- One specifier of `argdist`: `KIND:LIBRARY:FUNCTION(SIGNATURE)[:TYPE, …[:EXPRESSION, …[:FILTER]]][#LABEL]` taken apart, its C text,
-- and what it counted.

local errors = require("bpflua.errors")
local expression = require("bpflua.tool_expression")
local format = require("bpflua.format")
local probes_of = require("bpflua.tool_probes")
local text = require("bpflua.oneliner_text")
local trace = require("bpflua.tool_trace")

local M = {}

local MOST_KEYS = 10240

---@class ToolArgdist
---@field kind "hist"|"count"
---@field spec ToolProbeSpec
---@field signature string
---@field types string[] C types, of what is collected
---@field expressions string[]
---@field written string[] the same as the user wrote them
---@field filter? string
---@field label string
---@field state ToolExpression

-- Parts between colons; those in parentheses, brackets, texts, and in `? :` and `::` are no ends.
local function split(written)
    local parts, from, at = {}, 1, 1
    local questions = 0
    while at <= #written do
        local skipped = written:match('^"[^"]*"', at) or written:match("^%b()", at) or written:match("^%b[]", at)
        local char = written:sub(at, at)
        if skipped then
            at = at + #skipped - 1
        elseif char == "?" then
            questions = questions + 1
        elseif char == ":" and questions > 0 then
            questions = questions - 1
        elseif char == ":" then
            parts[#parts + 1] = written:sub(from, at - 1)
            from = at + 1
        end
        at = at + 1
    end
    parts[#parts + 1] = written:sub(from)
    return parts
end

local FORM = "KIND:LIBRARY:FUNCTION(SIGNATURE)[:TYPE[:EXPRESSION[:FILTER]]][#LABEL], KIND being p, r, t or u"

local function malformed(written, why)
    errors.fail({ what = ("cannot use `%s`"):format(written), why = why, evidence = { "it is written " .. FORM } })
end

-- The parameters of a signature: `{name = declaration}`.
local function parameters(signature)
    local list = {}
    for _, declaration in ipairs(expression.split(signature)) do
        local name = declaration:match("([%a_][%w_]*)%s*%[?%]?$")
        if name then
            list[name] = declaration
        end
    end
    return list
end

local function without_space(list)
    for i, one in ipairs(list) do
        list[i] = one:match("^%s*(.-)%s*$")
    end
    return list
end

---Takes a specifier apart.
---@param kind "hist"|"count"
---@param written string
---@return ToolArgdist
function M.parse(kind, written)
    local body, label = written:match("^(.*)#([^#\"']*)$")
    local parts = without_space(split(body or written))
    if #parts < 3 or #parts > 6 then
        malformed(written, ("it has %d parts"):format(#parts))
    end
    local name, signature = parts[3]:match("^([^(]+)(%b())$")
    if not name then
        if parts[3]:find("[()]") then
            malformed(written, "a parenthesis of the signature is not closed")
        end
        name, signature = parts[3], "()"
    end
    local spec = probes_of.parse(("%s:%s:%s"):format(parts[1], parts[2], name))
    spec.text = written
    local default = spec.type == "r" and "$retval" or "1"
    local self = {
        kind = kind, spec = spec, signature = signature:sub(2, -2), filter = parts[6],
        types = parts[5] and expression.split(parts[4]) or { "u64" },
        expressions = parts[5] and expression.split(parts[5]) or { default },
        label = label or body or written,
        is_plain = parts[5] == nil and spec.type ~= "r",
    }
    if parts[4] and not parts[5] then
        self.types = expression.split(parts[4])
    end
    self.written = { unpack(self.expressions) }
    if #self.types ~= #self.expressions then
        malformed(written, ("it has %d types and %d expressions"):format(#self.types, #self.expressions))
    elseif kind == "hist" and #self.types > 1 then
        malformed(written, "a histogram is of one expression")
    elseif kind == "hist" and self.types[1]:find("char%s*%*") then
        malformed(written, "a histogram is of numbers, not of texts")
    end
    self.state = expression.new(spec, written)
    return self
end

-- ---------------------------------------------------------------- the beginning of a call

-- What the return wants to know of the beginning: `$entry(NAME)` and `$latency`.
local function entry_values(self)
    local words, list = {}, {}
    local declared = parameters(self.signature)
    local function replace(written)
        return written and written:gsub("%$entry%s*(%b())", function(inside)
            local name = inside:sub(2, -2):match("^%s*(.-)%s*$")
            if self.spec.type ~= "r" then
                expression.fail(self.state, "`$entry` is for the return of a function: r:LIBRARY:FUNCTION(SIGNATURE)")
            elseif not declared[name] then
                errors.unknown(("cannot use `%s`: the signature has no `%s`"):format(self.state.text, name), name, declared, "parameters")
            end
            if not list[name] then
                list[name], list[#list + 1] = true, name
            end
            words["entry_" .. name] = "begun->arg_" .. name
            return "entry_" .. name
        end)
    end
    for i, one in ipairs(self.expressions) do
        self.expressions[i] = replace(one)
    end
    self.filter = replace(self.filter)
    local uses_latency = (table.concat(self.expressions, " ") .. (self.filter or "")):find("$latency", 1, true) ~= nil
    words["$latency"] = "(now - begun->at)"
    self.state.words = words
    return list, uses_latency, declared
end

local ENTRY = [[
struct begun_t {
	u64 at;
MEMBERS
};
BPF_HASH(calls, u64, struct begun_t, 16384);
]]

local function entry_text(self, groups, names, declared)
    local members, fill = {}, {}
    for i, name in ipairs(names) do
        members[i] = "\t" .. declared[name]:gsub("([%a_][%w_]*)(%s*%[?%]?)$", "arg_%1") .. ";"
        fill[i] = ("begun.arg_%s = %s;"):format(name, name)
    end
    local lines = {
        "if (!is_wanted()) return 0;", "u64 thread = bpf_get_current_pid_tgid();", "struct begun_t begun = {};",
        "begun.at = bpf_ktime_get_ns();",
    }
    for _, line in ipairs(fill) do
        lines[#lines + 1] = line
    end
    lines[#lines + 1] = "calls.update(&thread, &begun);"
    lines[#lines + 1] = "return 0;\n}\n"
    return ENTRY:gsub("MEMBERS\n", table.concat(members, "\n") .. (#members > 0 and "\n" or "")) .. trace.functions(groups, self.signature, lines)
end

-- ---------------------------------------------------------------- the C text

local function is_text(type)
    return type:find("^const%s+char%s*%*$") ~= nil or type:find("^char%s*%*$") ~= nil
end

local function map_text(self, options)
    if self.kind == "hist" then
        return "BPF_HISTOGRAM(dist);\n"
    end
    local members = {}
    for i, type in ipairs(self.types) do
        local is_comm = self.expressions[i] == "$COMM"
        members[i] = (is_text(type) or is_comm) and ("\tchar v%d[%d];"):format(i, is_comm and 16 or options.string_size)
            or ("\t%s v%d;"):format(type, i)
    end
    return ("struct key_t {\n%s\n};\nBPF_HASH(counts, struct key_t, u64, %d);\n"):format(table.concat(members, "\n"), MOST_KEYS)
end

-- What bcc writes in capitals.
local CAPITALS = {
    ["$PID"] = "(bpf_get_current_pid_tgid() >> 32)", ["$TID"] = "(u32)bpf_get_current_pid_tgid()",
    ["$UID"] = "(u32)bpf_get_current_uid_gid()", ["$GID"] = "(u32)(bpf_get_current_uid_gid() >> 32)",
    ["$CPU"] = "bpf_get_smp_processor_id()",
}

local function collect_lines(self)
    local state, lines = self.state, {}
    for name, c in pairs(CAPITALS) do
        state.words[name] = c
    end
    if self.kind == "hist" then
        return { ("dist.atomic_increment(bpf_log2l((u64)(%s)(%s)));"):format(self.types[1], (expression.c(state, self.expressions[1]))) }
    end
    lines[1] = "struct key_t key = {};"
    for i, type in ipairs(self.types) do
        if self.expressions[i] == "$COMM" then
            lines[#lines + 1] = ("bpf_get_current_comm(key.v%d, sizeof(key.v%d));"):format(i, i)
        else
            local c, is_user_arg = expression.c(state, self.expressions[i])
            lines[#lines + 1] = is_text(type) and expression.copy_text(state, "key.v" .. i, c, is_user_arg)
                or ("key.v%d = (%s)(%s);"):format(i, type, c)
        end
    end
    lines[#lines + 1] = "counts.atomic_increment(key);"
    return lines
end

local function body(self, has_entry)
    local collect = collect_lines(self)
    local filter = self.filter and self.filter ~= "" and expression.c(self.state, self.filter)
    local lines = { "if (!is_wanted()) return 0;" }
    for _, line in ipairs(expression.usdt_lines(self.state)) do
        lines[#lines + 1] = line
    end
    if has_entry then
        lines[#lines + 1] = "u64 now = bpf_ktime_get_ns(), thread = bpf_get_current_pid_tgid();"
        lines[#lines + 1] = "struct begun_t *found = calls.lookup(&thread), copy, *begun = &copy;"
        lines[#lines + 1] = "if (!found) return 0;"
        lines[#lines + 1] = "copy = *found;"
        lines[#lines + 1] = "calls.delete(&thread);"
    end
    lines[#lines + 1] = filter and ("if (!(%s)) return 0;"):format(filter) or nil
    for _, line in ipairs(collect) do
        lines[#lines + 1] = line
    end
    lines[#lines + 1] = "return 0;\n}\n"
    return lines
end

---Compiles it and attaches it.
---@param self ToolArgdist
---@param options table the tool's arguments: `pid`, `string_size`, `include`, `verbose`, and `constants`
---@return bpflua.BPF
function M.start(self, options)
    local names, uses_latency, declared = entry_values(self)
    local has_entry = #names > 0 or uses_latency
    local spec = self.spec
    local probes = probes_of.expand(spec, { pid = options.pid })
    local all = { trace.groups(probes, "collect", self.state) }
    local pieces = { expression.includes(options.include), expression.SAME_TEXT, probes_of.FILTER, map_text(self, options) }
    if has_entry then
        local entry = { text = spec.text, type = "p", library = spec.library, name = spec.name }
        all[2] = trace.groups(probes_of.expand(entry, { pid = options.pid }), "enter", expression.new(entry, spec.text))
        pieces[#pieces + 1] = entry_text(self, all[2], names, declared)
    end
    -- A return has no arguments: the signature is that of the beginning.
    local signature = spec.type == "p" and self.signature or nil
    pieces[#pieces + 1] = trace.functions(all[1], signature, body(self, has_entry))
    local code = table.concat(pieces, "\n")
    if options.verbose then
        io.stderr:write(code, "\n")
    end
    self.bpf = expression.compile(self.state, { text = code, constants = options.constants, attach = false })
    for _, groups in ipairs(all) do
        for _, group in ipairs(groups) do
            text.attach(self.bpf, group, options.pid)
        end
    end
    return self.bpf
end

-- ---------------------------------------------------------------- what was counted

local function value_text(type, value)
    if type:find("%*") and not is_text(type) then
        return ("0x%x"):format(value)
    end
    return format.text(format.plain(value))
end

---The rows of a count, those that count most last.
---@param self ToolArgdist
---@param most? integer so many at most, those that count most
---@return {label: string, count: number, event: string, values: any[]}[]
function M.rows(self, most)
    local list = {}
    for key, count in self.bpf.counts:items() do
        local words, values = {}, {}
        for i, type in ipairs(self.types) do
            local value = key["v" .. i]
            values[i] = format.plain(value)
            if type:find("%*") and not is_text(type) then
                values[i] = value_text(type, value)
            end
            words[i] = self.is_plain and "total calls" or ("%s = %s"):format(self.written[i], value_text(type, value))
        end
        list[#list + 1] = { label = self.label, count = tonumber(count), event = table.concat(words, ", "), values = values }
    end
    table.sort(list, function(a, b)
        if a.count ~= b.count then
            return a.count < b.count
        end
        return a.event < b.event
    end)
    while most and #list > most do
        table.remove(list, 1)
    end
    return list
end

return M
