-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands about probes: what is attached, here and on the whole system, what it costs, and detaching it.

local cost = require("bpflua.cost")
local errors = require("bpflua.errors")
local meanwhile = require("bpflua.repl.meanwhile")
local open_objects = require("bpflua.objects")
local print_rows = require("bpflua.repl.rows")
local subjects = require("bpflua.repl.subjects")
local system = require("bpflua.system")
local text = require("bpflua.show_text")
local units = require("bpflua.show_units")

local M = {}

-- ---------------------------------------------------------------- :probes

local PROBES = {
    { "#", right = true, keep = true }, { "kind", keep = true }, { "target" }, { "function" }, { "by" }, { "runs", right = true },
    { "missed", right = true },
}

-- What is not told by the columns: what a name stands for, why it is no cheaper mechanism, what is remarkable.
local function notes_of(probe)
    local notes = {}
    if #probe.resolved > 0 then
        notes[1] = "probes " .. table.concat(probe.resolved, ", ")
    end
    for _, list in ipairs({ probe.why, probe.notes }) do
        for _, note in ipairs(list) do
            notes[#notes + 1] = note
        end
    end
    return notes
end

local function own_probes(session, is_verbose)
    local all, rows = subjects.probes(), {}
    for i, one in ipairs(all) do
        local probe = one.probe
        rows[i] = { tostring(one.number), probe.kind, probe.target, probe.fn_name, probe.mechanism,
            probe.runs > 0 and text.count(probe.runs) or "", probe.missed > 0 and text.count(probe.missed) or "" }
        if is_verbose then
            rows[i].below = notes_of(probe)
        end
    end
    if #all == 0 and not session.is_json then
        print("nothing is attached")
        return
    end
    local facts = {}
    for i, one in ipairs(all) do
        facts[i] = one.probe
    end
    print_rows(session, PROBES, rows, facts)
end

local SYSTEM = {
    { "id", right = true, keep = true }, { "kind", keep = true }, { "name" }, { "attached to" }, { "held by" }, { "runs", right = true },
    { "missed", right = true }, { "memory", right = true }, { "loaded" },
}

local function holder_words(holders)
    local words = {}
    for i, holder in ipairs(holders) do
        words[i] = ("%s %d"):format(text.printable(holder.comm), holder.pid)
    end
    return table.concat(words, ", ")
end

-- Nanoseconds of the clock that goes on while the system sleeps.
local function boot_time_ns()
    local uptime = io.open("/proc/uptime")
    local seconds = uptime and uptime:read("*n") or 0
    if uptime then
        uptime:close()
    end
    return seconds * 1e9
end

local function system_probes(session)
    local links, holders = {}, {}
    for _, link in ipairs(system.list_links()) do
        local targets = links[link.program] or {}
        links[link.program] = targets
        targets[#targets + 1] = link.target ~= "" and link.target or link.kind
        holders[link.program] = holders[link.program] or link.holders
    end
    local now, programs, rows = boot_time_ns(), system.list_programs(), {}
    for i, program in ipairs(programs) do
        local by = #program.holders > 0 and program.holders or holders[program.id] or {}
        program.attached_to = links[program.id] or {}
        rows[i] = { tostring(program.id), program.kind, program.name, table.concat(program.attached_to, ", "), holder_words(by),
            program.runs > 0 and text.count(program.runs) or "", program.missed > 0 and text.count(program.missed) or "",
            units.bytes(program.memory_bytes), units.duration(math.max(0, now - program.loaded_ns)) .. " ago" }
    end
    if #rows == 0 and not session.is_json then
        print("the kernel holds no BPF program")
        return
    end
    print_rows(session, SYSTEM, rows, programs)
end

local function probes(session, rest)
    local words = subjects.words(rest)
    local options = subjects.take_options("probes", words, { ["-a"] = true, ["-v"] = true })
    subjects.at_most("probes", words, 0)
    if options["-a"] then
        return system_probes(session)
    end
    own_probes(session, options["-v"])
end

-- ---------------------------------------------------------------- :detach

local function detach(_, rest)
    local words = subjects.words(rest)
    if #words == 0 then
        errors.fail({
            what = "`:detach` needs to know which probes",
            hints = { "`:detach 1`, `:detach kprobe:vfs_*`, `:detach all`; `:probes` lists them" },
        })
    end
    -- All are looked up before any is detached: a word that means nothing changes nothing.
    local meant, seen = {}, {}
    for _, word in ipairs(words) do
        for _, one in ipairs(subjects.probes_of("detach", word)) do
            meant[#meant + 1] = not seen[one.number] and one or nil
            seen[one.number] = true
        end
    end
    for _, one in ipairs(meant) do
        one.object:detach(one.probe)
        print(("detached %s %s → %s"):format(one.probe.kind, text.printable(one.probe.target), one.probe.fn_name))
    end
end

-- ---------------------------------------------------------------- :cost

local COSTS = {
    { "target" }, { "function" }, { "runs", right = true, keep = true }, { "per s", right = true }, { "ns/run", right = true, keep = true },
    { "CPU", right = true, keep = true }, { "missed", right = true }, { "lost", right = true },
}

local function costs(session, rest)
    local words = subjects.words(rest)
    subjects.at_most("cost", words, 1)
    local seconds = words[1] and subjects.seconds("cost", words[1], 0.001) or 1
    if #subjects.probes() == 0 then
        errors.fail({ what = "`:cost` has nothing to measure", why = "no probe is attached" })
    end
    local measured, rows = cost.measure({ unpack(open_objects) }, seconds, meanwhile.wait), {}
    table.sort(measured, function(a, b)
        return a.time_ns > b.time_ns
    end)
    local sum = 0
    for i, one in ipairs(measured) do
        sum = sum + one.cpu
        rows[i] = { ("%s %s"):format(one.kind, table.concat(one.targets, ", ")), one.fn_name, text.count(one.runs),
            text.count(one.runs / seconds), one.ns_per_run and text.count(one.ns_per_run) or "-", ("%.2f %%"):format(100 * one.cpu),
            text.count(one.missed), text.count(one.lost) }
    end
    print_rows(session, COSTS, rows, measured)
    if not session.is_json then
        print(("in %s; together %.2f %% of one processor"):format(units.duration(seconds * 1e9), 100 * sum))
    end
end

local function probe_names()
    local notes = {}
    for _, one in ipairs(subjects.probes()) do
        notes[one.probe.kind .. ":" .. one.probe.target] = "→ " .. one.probe.fn_name
    end
    return notes
end

---Adds the commands.
---@param commands table
function M.define(commands)
    commands.define({
        name = "probes",
        args = "[-a] [-v]",
        help = "what is attached; -a on the whole system, -v with the reasons for its mechanism",
        run = probes,
    })
    commands.define({
        name = "detach",
        args = "PROBES",
        help = "detach probes: by number, target, kind:target, function, with * and ?, or all",
        run = detach,
        complete = probe_names,
    })
    commands.define({
        name = "cost",
        args = "[SECONDS]",
        help = "what the probes cost: runs, time per run, share of a processor, missed runs, losses",
        run = costs,
    })
end

return M
