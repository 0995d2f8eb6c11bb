-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- One-liners at work, each word a function: what comes of it is an object to print and stop.

local errors = require("bpflua.errors")
local make = require("bpflua.oneliner_make")
local native = require("bpflua.native")
local requests = require("bpflua.oneliner_request")
local show = require("bpflua.oneliner_show")
local text = require("bpflua.oneliner_text")
local values = require("bpflua.oneliner_values")

local M = {}

local RING_PAGES = 256

local KEY = { "struct key_t key;", "__builtin_memset(&key, 0, sizeof(key));" }

local function key_lines(lines, found, members)
    lines[#lines + 1], lines[#lines + 2] = KEY[1], KEY[2]
    make.fill_lines(lines, found, members, "key.")
end

-- An address of user space is a name only together with its process.
local function add_process(request, names)
    local has_stack, has_pid = false, request.options.pid ~= nil
    for _, name in ipairs(names) do
        has_stack, has_pid = has_stack or name == "ustack", has_pid or name == "pid"
    end
    if has_stack and not has_pid then
        names[#names + 1] = "pid"
    end
end

---`count`: how often, by keys.
function M.count(of, spec, ...)
    local request = requests.parse(of, spec, ...)
    request.probes = requests.expand(requests.split(request.specs), request.options.pid, request.what)
    if of == "stacks" then
        local user = request.probes[1].facts.kind:find("^u") ~= nil
        table.insert(request.names, 1, user and "ustack" or "kstack")
    end
    local names = request.names
    add_process(request, names)
    local probes, found = requests.with_values(request, request.probes, function(probe)
        return requests.find_all(request, probe, names)
    end)
    request.probes = probes
    request.members = requests.members_of(request, names, found, probes, 1, request.options.strings or 64)
    make.check_size(request, request.members, make.MOST_KEY_BYTES)
    local bodies = make.bodies_of(request, probes, found, request.members, function(lines, one, members)
        key_lines(lines, one, members)
        lines[#lines + 1] = "counts.atomic_increment(key);"
    end)
    local more = #names == 0 and { "u32 none;" } or nil
    local maps = { "BPF_PERCPU_HASH(counts, struct key_t, u64, MAX);" }
    local groups = { text.groups(bodies, "count", request.what) }
    return make.create(request, of, text.text(make.declarations_for(request, request.members, more, maps), groups), groups)
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
    local request = requests.parse("hist", spec, ...)
    request.probes = requests.expand(requests.split(request.specs), request.options.pid, request.what)
    local names = request.names
    local probes, found = requests.with_values(request, request.probes, function(probe)
        local list = requests.find_all(request, probe, names)
        list[#list + 1] = check_measured(request, value, values.find(probe, value, request.what))
        return list
    end)
    request.probes = probes
    request.members = requests.members_of(request, names, found, probes, 1, request.options.strings or 64)
    make.check_size(request, request.members, make.MOST_KEY_BYTES)
    local bodies = make.bodies_of(request, probes, found, request.members, function(lines, one, members)
        key_lines(lines, one, members)
        slot_lines(lines, one[#one])
        lines[#lines + 1] = "counts.atomic_increment(key);"
    end)
    local maps = { "BPF_PERCPU_HASH(counts, struct key_t, u64, MAX);" }
    local groups = { text.groups(bodies, "hist", request.what) }
    local code = text.text(make.declarations_for(request, request.members, { "u32 slot;" }, maps), groups)
    local self = make.create(request, "hist", code, groups)
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
    local request = requests.parse("trace", spec, ...)
    request.probes = requests.expand(requests.split(request.specs), request.options.pid, request.what)
    local names = { "pid", "comm" }
    local several = #request.probes > 1
    if several then
        names[#names + 1] = "func"
    end
    for _, name in ipairs(#request.names > 0 and request.names or several and {} or all_fields(request.probes[1])) do
        names[#names + 1] = name
    end
    local probes, found = requests.with_values(request, request.probes, function(probe)
        return requests.find_all(request, probe, names)
    end)
    request.probes = probes
    request.members = requests.members_of(request, names, found, probes, 1, request.options.strings or 256)
    make.check_size(request, request.members, make.MOST_EVENT_BYTES)
    local bodies = make.bodies_of(request, probes, found, request.members, function(lines, one, members)
        lines[#lines + 1] = "struct event_t *event = events.ringbuf_reserve(sizeof(*event));"
        lines[#lines + 1] = "if (!event) return 0;"
        lines[#lines + 1] = "__builtin_memset(event, 0, sizeof(*event));"
        lines[#lines + 1] = "event->time = bpf_ktime_get_ns();"
        make.fill_lines(lines, one, members, "event->")
        lines[#lines + 1] = "events.ringbuf_submit(event, 0);"
    end)
    local declarations = { text.structure("event_t", request.members, { "u64 time;" }) }
    if make.has_stack(request.members) then
        declarations[#declarations + 1] = make.STACKS
    end
    declarations[#declarations + 1] = ("BPF_RINGBUF_OUTPUT(events, %d);"):format(RING_PAGES)
    local groups = { text.groups(bodies, "trace", request.what) }
    local self = make.create(request, "trace", text.text(declarations, groups), groups)
    show.open(self)
    return self
end

---`latency`: the distribution of how long calls take, by keys.
M.latency = require("bpflua.oneliner_latency")

---Runs the one-liners of a `-e` text until Ctrl-C, or until all have stopped, and prints them.
M.finish = show.finish

return M
