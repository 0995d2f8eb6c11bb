-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `latency`: both ends of calls, and the time between them.

local errors = require("bpflua.errors")
local make = require("bpflua.oneliner_make")
local native = require("bpflua.native")
local requests = require("bpflua.oneliner_request")
local text = require("bpflua.oneliner_text")

local DIVISORS = { ns = 1, us = 1000, ms = 1000000, s = 1000000000 }
local WORDS = { ns = "nsecs", us = "usecs", ms = "msecs", s = "secs" }

local OTHER_END = { kprobe = "kretprobe", fentry = "fexit", uprobe = "uretprobe" }
local BEGINNING = { kretprobe = "kprobe", fexit = "fentry", uretprobe = "uprobe" }

-- The probes at both ends of what is timed.
local function both_ends(request)
    local entries, returns = {}, {}
    for i, spec in ipairs(requests.split(request.specs)) do
        spec = requests.with_kind(spec)
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
    return requests.expand(entries, request.options.pid, request.what), requests.expand(returns, request.options.pid, request.what)
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
    make.fill_lines(lines, found, members, "start.key.")
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
    make.fill_lines(lines, found, members, "key.")
    lines[#lines + 1] = "key.slot = bpf_log2l(taken);"
    lines[#lines + 1] = "counts.atomic_increment(key);"
end

local function latency_declarations(request)
    return make.declarations_for(request, request.members, { "u32 slot;" }, {
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
return function(spec, ...)
    local request = requests.parse("latency", spec, ...)
    local units = latency_units(request)
    local entries, returns = paired(request, both_ends(request))
    local early, late = split_names(request.names)
    local early_found, late_found = {}, {}
    for i, probe in ipairs(entries) do
        early_found[i] = requests.find_all(request, probe, early)
        late_found[i] = requests.find_all(request, returns[i], late)
    end
    local early_members = requests.members_of(request, early, early_found, entries, 1, request.options.strings or 64)
    local late_members = requests.members_of(request, late, late_found, returns, #early + 1, request.options.strings or 64)
    request.probes, request.members = entries, {}
    add_all(request.members, early_members)
    add_all(request.members, late_members)
    make.check_size(request, request.members, make.MOST_KEY_BYTES / 2)
    local is_filtered = request.options.filter or request.options.pid or request.options.comm
    local first = make.bodies_of(request, entries, early_found, early_members, entry_lines)
    local second = {}
    for i, probe in ipairs(returns) do
        local used, lines = {}, {}
        make.note_used(used, late_found[i])
        return_lines(lines, late_found[i], late_members, DIVISORS[units], is_filtered)
        second[i] = text.body(probe, used, lines)
    end
    -- The ends come before the beginnings: what is under way when tracing begins is then told as such.
    local groups = { text.groups(second, "leave", request.what), text.groups(first, "enter", request.what) }
    local self = make.create(request, "latency", text.text(latency_declarations(request), groups), groups)
    self.value_name = WORDS[units]
    return self
end
