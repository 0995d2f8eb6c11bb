-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- One-liners at work: the user's words become a C text and a BPF object; what comes of it is an object to print and stop.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local show = require("bpflua.oneliner_show")
local text = require("bpflua.oneliner_text")
local values = require("bpflua.oneliner_values")

local M = {}

---@class bpflua.OnelinerOptions
---@field pid? integer only in this process
---@field comm? string only in threads of this name
---@field filter? string a C expression over the probe's names: `count > 4096 && comm != "sshd"`
---@field interval? number seconds after which what came meanwhile is printed, again and again
---@field seconds? number stops by itself after so many, and prints
---@field top? integer only so many, the largest
---@field units? string of `hist`: what the numbers are; of `latency`: "ns", "us" (the default), "ms" or "s"
---@field max_keys? integer how many different keys there is room for (default 10240); what finds none is counted
---@field strings? integer bytes kept of a text (default 64, of `trace` 256)
---@field folded? boolean stacks a line each, as flame graphs want them
---@field handler? fun(event: table) of `trace`: called with each event in place of printing it

local OPTIONS = {
    pid = "i32",
    comm = "string",
    filter = "string",
    interval = "seconds",
    seconds = "seconds",
    top = "natural",
    units = "string",
    max_keys = "u32",
    strings = "u32",
    folded = "boolean",
    handler = "function",
}

local DEFAULT_KEYS, DEFAULT_STACKS = 10240, 16384
-- A key lies on a program's stack, of 512 bytes.
local MOST_KEY_BYTES, MOST_EVENT_BYTES = 384, 16384
local RING_PAGES = 256

-- The one-liners of this script, in the order of their making.
local live = {}

-- ---------------------------------------------------------------- what the user said

-- `{"a", "b"}` is a list of names; any other table is options.
local function take_argument(request, of, argument)
    if type(argument) == "string" then
        request.names[#request.names + 1] = argument
    elseif type(argument) == "function" and of == "trace" then
        request.options = { handler = argument }
    elseif type(argument) == "table" and type(argument[1]) == "string" then
        for _, name in ipairs(argument) do
            take_argument(request, of, name)
        end
    elseif type(argument) == "table" then
        return argument
    else
        errors.fail({
            what = ("cannot call `%s`"):format(of),
            why = ("after the probe it takes names and a table of options, not a %s"):format(errors.type_name(argument)),
        })
    end
end

local function parse(of, spec, ...)
    errors.arguments(of, { "probe", "string|table!" }, spec)
    local request = { of = of, names = {}, options = {} }
    for i = 1, select("#", ...) do
        local argument = (select(i, ...))
        local given = argument ~= nil and take_argument(request, of, argument)
        if given then
            request.options = given
        end
    end
    errors.options(of, request.options, OPTIONS)
    request.specs = type(spec) == "table" and spec or { spec }
    request.what = ("cannot call `%s` for `%s`"):format(of, table.concat(request.specs, ", "))
    return request
end

-- "kprobe:a, kprobe:b" is two; a comma in a path is none.
local function split(specs)
    local list = {}
    for _, spec in ipairs(specs) do
        local rest = spec
        while true do
            local at, stop = rest:find(",%s*%l+:", 1)
            if not at then
                break
            end
            list[#list + 1] = rest:sub(1, at - 1)
            rest = rest:sub(at + 1):match("^%s*(.*)$")
            stop = nil
        end
        list[#list + 1] = rest
    end
    return list
end

-- A bare function of the kernel is a kprobe; `category:event` a tracepoint.
local KINDS
local function with_kind(spec)
    if not KINDS then
        KINDS = {}
        for _, name in ipairs(native.probes.kinds()) do
            KINDS[name] = true
        end
    end
    local kind = spec:match("^([%w_]+):")
    if not kind then
        return "kprobe:" .. spec
    elseif not KINDS[kind] and spec:find("^[%w_]+:[%w_*?]+$") and native.kernel.has_tracepoint(kind, spec:match(":(.*)$")) then
        return "tracepoint:" .. spec
    end
    return spec
end

local function expand(specs, pid, what)
    local probes = {}
    for _, spec in ipairs(specs) do
        for _, handle in ipairs(native.probes.expand(with_kind(spec), pid, what)) do
            probes[#probes + 1] = { handle = handle, facts = native.probes.describe(handle, what), number = #probes + 1 }
        end
    end
    return probes
end

-- ---------------------------------------------------------------- values of all probes

-- Those probes of a pattern that have all that is asked for. The others are left out, and the user is told; when none
-- has it, the error of the first stands.
local function with_values(request, probes, find)
    local kept, found, refused = {}, {}, {}
    local first_error
    for _, probe in ipairs(probes) do
        local ok, result = pcall(find, probe)
        if ok then
            kept[#kept + 1], found[#found + 1] = probe, result
        else
            first_error = first_error or result
            refused[#refused + 1] = probe.facts.short_name
        end
    end
    if #kept == 0 then
        error(first_error, 0)
    elseif #refused > 0 then
        local shown = table.concat(refused, ", ", 1, math.min(#refused, 8)) .. (#refused > 8 and ", …" or "")
        local lacking = type(first_error) == "userdata" and first_error.why or tostring(first_error)
        native.run.notice(0, ("%s: left out %d of %d probes: %s (%s)"):format(request.of, #refused, #probes, shown, lacking))
    end
    for i, probe in ipairs(kept) do
        probe.number = i
    end
    return kept, found
end

local function find_all(request, probe, names)
    local list = {}
    for i, name in ipairs(names) do
        list[i] = values.find(probe, name, request.what)
    end
    return list
end

local function members_of(request, names, found, probes, first_number, room)
    local members = {}
    for i, name in ipairs(names) do
        local column = {}
        for j = 1, #probes do
            column[j] = found[j][i]
        end
        members[i] = values.member(name, first_number + i - 1, column, probes, request.what, room)
    end
    return members
end

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

local function note_used(used, found)
    for _, one in ipairs(found) do
        if one.field then
            used[one.field] = true
        end
        for number in pairs(one.fields or {}) do
            used[number] = true
        end
    end
end

local function fill_lines(lines, found, members, place)
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

local function check_size(request, members, most)
    local size = total_size(members)
    if size > most then
        errors.fail({
            what = request.what,
            why = ("its values take %d bytes, and there is room for %d"):format(size, most),
            hints = { "the option `strings` keeps fewer bytes of each text" },
        })
    end
end

local function has_stack(members)
    for _, member in ipairs(members) do
        if member.kind == "stack" then
            return true
        end
    end
    return false
end

-- ---------------------------------------------------------------- making it

local function declarations_for(request, members, more, maps)
    local list = { text.structure("key_t", members, more) }
    if has_stack(members) then
        list[#list + 1] = ("BPF_STACK_TRACE(stacks, %d);"):format(DEFAULT_STACKS)
    end
    for _, line in ipairs(maps) do
        list[#list + 1] = (line:gsub("MAX", tostring(request.options.max_keys or DEFAULT_KEYS)))
    end
    return list
end

-- The compiler speaks of lines that the user has not written; the filter is what may be wrong in them.
local function compile(request, code)
    local BPF = require("bpflua.bpf")
    local filter = request.options.filter
    if not filter then
        return BPF({ text = code })
    end
    local ok, result = pcall(BPF, { text = code })
    if ok then
        return result
    elseif not errors.is_error(result) or result.kind ~= "script" then
        error(result, 0)
    end
    errors.fail({
        what = ("cannot use the filter `%s`"):format(filter),
        why = tostring(result):match("%-%-> [^\n]-:%d+:%d+: ([^\n]*)") or result.message,
        evidence = { "it is a C expression over the names of the probe" },
        hints = result.hints,
    })
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

local function create(request, of, code, groups)
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
    return M.adopt(self)
end

local function bodies_of(request, probes, found, members, make)
    local bodies = {}
    for i, probe in ipairs(probes) do
        local used = {}
        note_used(used, found[i])
        local lines = filter_lines(request, probe, used)
        make(lines, found[i], members, probe, used)
        bodies[i] = text.body(probe, used, lines)
    end
    return bodies
end

local KEY = { "struct key_t key;", "__builtin_memset(&key, 0, sizeof(key));" }

local function key_lines(lines, found, members)
    lines[#lines + 1], lines[#lines + 2] = KEY[1], KEY[2]
    fill_lines(lines, found, members, "key.")
end

---`count`: how often, by keys.
function M.count(of, spec, ...)
    local request = parse(of, spec, ...)
    request.probes = expand(split(request.specs), request.options.pid, request.what)
    if of == "stacks" then
        local user = request.probes[1].facts.kind:find("^u") ~= nil
        table.insert(request.names, 1, user and "ustack" or "kstack")
    end
    local names = request.names
    local probes, found = with_values(request, request.probes, function(probe)
        return find_all(request, probe, names)
    end)
    request.probes = probes
    request.members = members_of(request, names, found, probes, 1, request.options.strings or 64)
    check_size(request, request.members, MOST_KEY_BYTES)
    local bodies = bodies_of(request, probes, found, request.members, function(lines, one, members)
        key_lines(lines, one, members)
        lines[#lines + 1] = "counts.atomic_increment(key);"
    end)
    local more = #names == 0 and { "u32 none;" } or nil
    local maps = { "BPF_PERCPU_HASH(counts, struct key_t, u64, MAX);" }
    local groups = { text.groups(bodies, "count", request.what) }
    return create(request, of, text.text(declarations_for(request, request.members, more, maps), groups), groups)
end

-- The statements that find a value's slot. What is below zero has slot 0, which no other value has.
local function slot_lines(lines, found)
    for _, line in ipairs(found.before or {}) do
        lines[#lines + 1] = line
    end
    if found.signed then
        lines[#lines + 1] = ("s64 value = (s%d)(%s);"):format((found.size or 8) * 8, found.expression)
        lines[#lines + 1] = "key.slot = value < 0 ? 0 : bpf_log2l(value);"
    else
        lines[#lines + 1] = ("u64 value = (u%d)(%s);"):format((found.size or 8) * 8, found.expression)
        lines[#lines + 1] = "key.slot = bpf_log2l(value);"
    end
end

local function check_measured(request, name, found)
    if found.shape ~= "int" and found.shape ~= "enum" and found.shape ~= "bool" then
        errors.fail({ what = request.what, why = ("`%s` is no number that can be measured"):format(name) })
    end
    return found
end

---`hist`: the distribution of a value, by keys.
function M.hist(spec, value, ...)
    errors.arguments("hist", { "probe", "string|table!", "value", "string!" }, spec, value)
    local request = parse("hist", spec, ...)
    request.probes = expand(split(request.specs), request.options.pid, request.what)
    local names = request.names
    local probes, found = with_values(request, request.probes, function(probe)
        local list = find_all(request, probe, names)
        list[#list + 1] = check_measured(request, value, values.find(probe, value, request.what))
        return list
    end)
    request.probes = probes
    request.members = members_of(request, names, found, probes, 1, request.options.strings or 64)
    check_size(request, request.members, MOST_KEY_BYTES)
    local bodies = bodies_of(request, probes, found, request.members, function(lines, one, members)
        key_lines(lines, one, members)
        slot_lines(lines, one[#one])
        lines[#lines + 1] = "counts.atomic_increment(key);"
    end)
    local maps = { "BPF_PERCPU_HASH(counts, struct key_t, u64, MAX);" }
    local groups = { text.groups(bodies, "hist", request.what) }
    local code = text.text(declarations_for(request, request.members, { "u32 slot;" }, maps), groups)
    local self = create(request, "hist", code, groups)
    self.value_name = request.options.units or value
    return self
end

-- ---------------------------------------------------------------- events

-- What is worth a column when the user names none: every field that has a value.
local function all_fields(probe)
    local names = {}
    for _, field in ipairs(native.probes.fields(probe.handle)) do
        if field.shape ~= "record" and field.shape ~= "opaque" and field.name ~= "__syscall_nr" then
            names[#names + 1] = "args." .. field.name
        end
    end
    return names
end

---`trace`: a line for each event.
function M.trace(spec, ...)
    local request = parse("trace", spec, ...)
    request.probes = expand(split(request.specs), request.options.pid, request.what)
    local names = { "pid", "comm" }
    local several = #request.probes > 1
    if several then
        names[#names + 1] = "func"
    end
    for _, name in ipairs(#request.names > 0 and request.names or several and {} or all_fields(request.probes[1])) do
        names[#names + 1] = name
    end
    local probes, found = with_values(request, request.probes, function(probe)
        return find_all(request, probe, names)
    end)
    request.probes = probes
    request.members = members_of(request, names, found, probes, 1, request.options.strings or 256)
    check_size(request, request.members, MOST_EVENT_BYTES)
    local bodies = bodies_of(request, probes, found, request.members, function(lines, one, members)
        lines[#lines + 1] = "struct event_t *event = events.ringbuf_reserve(sizeof(*event));"
        lines[#lines + 1] = "if (!event) return 0;"
        lines[#lines + 1] = "__builtin_memset(event, 0, sizeof(*event));"
        lines[#lines + 1] = "event->time = bpf_ktime_get_ns();"
        fill_lines(lines, one, members, "event->")
        lines[#lines + 1] = "events.ringbuf_submit(event, 0);"
    end)
    local declarations = { text.structure("event_t", request.members, { "u64 time;" }) }
    if has_stack(request.members) then
        declarations[#declarations + 1] = ("BPF_STACK_TRACE(stacks, %d);"):format(DEFAULT_STACKS)
    end
    declarations[#declarations + 1] = ("BPF_RINGBUF_OUTPUT(events, %d);"):format(RING_PAGES)
    local groups = { text.groups(bodies, "trace", request.what) }
    local self = create(request, "trace", text.text(declarations, groups), groups)
    show.open(self)
    return self
end

-- ---------------------------------------------------------------- latency

local DIVISORS = { ns = 1, us = 1000, ms = 1000000, s = 1000000000 }
local WORDS = { ns = "nsecs", us = "usecs", ms = "msecs", s = "secs" }

local OTHER_END = { kprobe = "kretprobe", fentry = "fexit", uprobe = "uretprobe" }
local BEGINNING = { kretprobe = "kprobe", fexit = "fentry", uretprobe = "uprobe" }

-- The probes at both ends of what is timed.
local function both_ends(request)
    local entries, returns = {}, {}
    for i, spec in ipairs(split(request.specs)) do
        spec = with_kind(spec)
        local handle = native.probes.expand(spec, request.options.pid, request.what)[1]
        local kind = native.probes.describe(handle, request.what).kind
        local rest = spec:match("^[%w_]+:(.*)$")
        kind = BEGINNING[kind] or kind
        if OTHER_END[kind] then
            entries[i], returns[i] = kind .. ":" .. rest, OTHER_END[kind] .. ":" .. rest
        elseif kind == "tracepoint" and rest:find("^syscalls:sys_e[nx][ti][et]r?_") then
            local call = rest:match("^syscalls:sys_e[^_]*_(.*)$")
            entries[i], returns[i] = "tracepoint:syscalls:sys_enter_" .. call, "tracepoint:syscalls:sys_exit_" .. call
        else
            errors.fail({
                what = request.what,
                why = ("`%s` has no other end"):format(spec),
                evidence = { "what can be timed are functions, by kprobe, fentry or uprobe, and system calls, by tracepoint:syscalls:sys_enter_NAME" },
            })
        end
    end
    return expand(entries, request.options.pid, request.what), expand(returns, request.options.pid, request.what)
end

local function call_of(probe)
    return (probe.facts.short_name:gsub("^sys_enter_", ""):gsub("^sys_exit_", ""))
end

-- Both ends of each call, in one order.
local function paired(request, entries, returns)
    local by_name, first, second = {}, {}, {}
    for _, probe in ipairs(returns) do
        by_name[call_of(probe)] = probe
    end
    for _, probe in ipairs(entries) do
        local other = by_name[call_of(probe)]
        if other then
            first[#first + 1], second[#second + 1] = probe, other
            probe.number, other.number = #first, #first
        end
    end
    if #first == 0 then
        errors.fail({ what = request.what, why = "no call has a probe at both of its ends" })
    end
    return first, second
end

-- A thread by its number; the idle threads of all CPUs have the same one.
local THREAD = {
    "u64 thread = bpf_get_current_pid_tgid();",
    "if (!thread) thread = 1ULL << 63 | bpf_get_smp_processor_id();",
    "struct start_key_t at = { PROBE_ID, thread };",
}

local function add_all(lines, more)
    for _, line in ipairs(more) do
        lines[#lines + 1] = line
    end
end

local function split_names(names)
    local early, late = {}, {}
    for _, name in ipairs(names) do
        local list = name:find("^retval") and late or early
        list[#list + 1] = name
    end
    return early, late
end

local function entry_lines(lines, found, members)
    add_all(lines, THREAD)
    add_all(lines, { "struct start_t start;", "__builtin_memset(&start, 0, sizeof(start));" })
    fill_lines(lines, found, members, "start.key.")
    add_all(lines, { "start.time = bpf_ktime_get_ns();", "starts.update(&at, &start);" })
end

local function return_lines(lines, found, members, divisor, is_filtered)
    local missed = is_filtered and "" or "unmatched.atomic_increment(0); "
    table.insert(lines, 1, "u64 now = bpf_ktime_get_ns();")
    add_all(lines, THREAD)
    lines[#lines + 1] = "struct start_t *start = starts.lookup(&at);"
    lines[#lines + 1] = ("if (!start) { %sreturn 0; }"):format(missed)
    lines[#lines + 1] = "struct key_t key = start->key;"
    lines[#lines + 1] = ("u64 taken = (now - start->time) / %dULL;"):format(divisor)
    lines[#lines + 1] = "starts.delete(&at);"
    fill_lines(lines, found, members, "key.")
    lines[#lines + 1] = "key.slot = bpf_log2l(taken);"
    lines[#lines + 1] = "counts.atomic_increment(key);"
end

local function latency_declarations(request)
    return declarations_for(request, request.members, { "u32 slot;" }, {
        "struct start_key_t { u64 probe; u64 thread; };",
        "struct start_t { u64 time; struct key_t key; };",
        "BPF_HASH(starts, struct start_key_t, struct start_t, 10240);",
        "BPF_PERCPU_ARRAY(unmatched, u64, 1);",
        "BPF_PERCPU_HASH(counts, struct key_t, u64, MAX);",
    })
end

local function latency_units(request)
    local units = request.options.units or "us"
    if not DIVISORS[units] then
        errors.unknown(("`latency` has no units `%s`"):format(units), units, DIVISORS, "units")
    end
    return units
end

---`latency`: the distribution of how long calls take, by keys.
function M.latency(spec, ...)
    local request = parse("latency", spec, ...)
    local units = latency_units(request)
    local entries, returns = paired(request, both_ends(request))
    local early, late = split_names(request.names)
    local early_found, late_found = {}, {}
    for i, probe in ipairs(entries) do
        early_found[i] = find_all(request, probe, early)
        late_found[i] = find_all(request, returns[i], late)
    end
    local early_members = members_of(request, early, early_found, entries, 1, request.options.strings or 64)
    local late_members = members_of(request, late, late_found, returns, #early + 1, request.options.strings or 64)
    request.probes, request.members = entries, {}
    add_all(request.members, early_members)
    add_all(request.members, late_members)
    check_size(request, request.members, MOST_KEY_BYTES / 2)
    local is_filtered = request.options.filter or request.options.pid or request.options.comm
    local first = bodies_of(request, entries, early_found, early_members, entry_lines)
    local second = {}
    for i, probe in ipairs(returns) do
        local used, lines = {}, {}
        note_used(used, late_found[i])
        return_lines(lines, late_found[i], late_members, DIVISORS[units], is_filtered)
        second[i] = text.body(probe, used, lines)
    end
    -- The ends come before the beginnings: what is under way when tracing begins is then told as such.
    local groups = { text.groups(second, "leave", request.what), text.groups(first, "enter", request.what) }
    local self = create(request, "latency", text.text(latency_declarations(request), groups), groups)
    self.value_name = WORDS[units]
    return self
end

-- ---------------------------------------------------------------- life

---Takes a one-liner among those that are printed at the end.
function M.adopt(self)
    live[#live + 1] = self
    return show.start(setmetatable(self, show.Oneliner))
end

---Runs the one-liners of a `-e` text until Ctrl-C, or until all have stopped, and prints them.
function M.finish()
    local events = require("bpflua.events")
    local running = 0
    for _, self in ipairs(live) do
        running = running + (self.is_running and 1 or 0)
    end
    if running > 0 and not events.stopped() then
        show.run_until_done(live)
    end
    for _, self in ipairs(live) do
        self:stop()
        if not self.is_printed then
            self:print()
        end
    end
end

return M
