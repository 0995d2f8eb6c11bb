-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands about maps: which there are, here and on the whole system, a live view of one, histograms; and how results print.

local errors = require("bpflua.errors")
local live = require("bpflua.live")
local meanwhile = require("bpflua.repl.meanwhile")
local native = require("bpflua.native")
local print_rows = require("bpflua.repl.rows")
local show = require("bpflua.show")
local subjects = require("bpflua.repl.subjects")
local system = require("bpflua.system")
local text = require("bpflua.show_text")
local units = require("bpflua.show_units")

local M = {}

-- ---------------------------------------------------------------- :maps

local MAPS = {
    { "map", keep = true }, { "kind", keep = true }, { "key" }, { "value" }, { "elements", right = true }, { "at most", right = true },
    { "lost", right = true },
}

-- Kinds of maps that tell how many elements they have.
local function element_count(map)
    if map.is_queue or not map.key_type or not map.value_type or map.is_array then
        return nil
    end
    local ok, count = pcall(map.count, map)
    return ok and count or nil
end

local function losses_of(map)
    local loss = native.maps.losses(map.bpf:_object())[map.name]
    return loss and loss.count or 0
end

local function own_maps(session)
    local rows, facts = {}, {}
    for i, map in ipairs(subjects.maps()) do
        local count, lost = element_count(map), losses_of(map)
        local value = map.value_type and map.value_type.name or map.event_type and map.event_type.name or ""
        local most = map.kind == "ringbuf" and units.bytes(map.max_entries) or text.count(map.max_entries)
        facts[i] = { name = map.name, kind = map.kind, key = map.key_type and map.key_type.name or nil, value = value,
            elements = count, max_entries = map.max_entries, lost = lost }
        rows[i] = { map.name, map.histogram and "histogram" or map.kind, map.key_type and map.key_type.name or "", value,
            count and text.count(count) or "", most, lost > 0 and text.count(lost) or "" }
    end
    if #rows == 0 and not session.is_json then
        print("there are no maps")
        return
    end
    print_rows(session, MAPS, rows, facts)
end

local SYSTEM = {
    { "id", right = true, keep = true }, { "kind", keep = true }, { "name" }, { "key", right = true }, { "value", right = true },
    { "at most", right = true }, { "memory", right = true }, { "held by" }, { "used by programs" },
}

local function system_maps(session)
    local users = {}
    for _, program in ipairs(system.list_programs()) do
        for _, id in ipairs(program.maps) do
            users[id] = users[id] or {}
            table.insert(users[id], tostring(program.id))
        end
    end
    local maps, rows = system.list_maps(), {}
    for i, map in ipairs(maps) do
        local holders = {}
        for n, holder in ipairs(map.holders) do
            holders[n] = ("%s %d"):format(holder.comm, holder.pid)
        end
        map.programs = users[map.id] or {}
        rows[i] = { tostring(map.id), map.kind, map.name, ("%d B"):format(map.key_size), ("%d B"):format(map.value_size),
            text.count(map.max_entries), units.bytes(map.memory_bytes), table.concat(holders, ", "), table.concat(map.programs, ", ") }
    end
    if #rows == 0 and not session.is_json then
        print("the kernel holds no BPF map")
        return
    end
    print_rows(session, SYSTEM, rows, maps)
end

local function maps(session, rest)
    local words = subjects.words(rest)
    local options = subjects.take_options("maps", words, { ["-a"] = true })
    subjects.at_most("maps", words, 0)
    if options["-a"] then
        return system_maps(session)
    end
    own_maps(session)
end

-- ---------------------------------------------------------------- :watch

-- Looks at a map no more often than this.
local LEAST_SECONDS = 0.05

local function needs_word(command, word, example)
    if not word then
        errors.fail({ what = ("`:%s` needs a map"):format(command), hints = { example .. "; `:maps` lists them" } })
    end
end

local function watch(session, rest)
    local words = subjects.words(rest)
    local seconds = #words > 1 and tonumber(words[#words]) and subjects.seconds("watch", table.remove(words), LEAST_SECONDS) or 1
    local expression = table.concat(words, " ")
    needs_word("watch", words[1], "`:watch counts 0.5`")
    local value = subjects.value(session, "watch", expression)
    -- Output waits until the screen is the session's again.
    native.prompt.screen("taken")
    local ok, stop = pcall(live.view, value, expression, { seconds = seconds }, meanwhile.server())
    native.prompt.screen("statement")
    if not ok then
        error(stop, 0)
    end
end

-- ---------------------------------------------------------------- :hist

local function hist(session, rest)
    local words, kind, unit = subjects.words(rest), "log2", nil
    needs_word("hist", words[1], "`:hist dist us`")
    for i = #words, 2, -1 do
        local word = table.remove(words, i)
        if word == "linear" or word == "log2" then
            kind = word
        elseif unit then
            errors.fail({ what = ("`:hist` does not take `%s` and `%s`"):format(word, unit), why = "values have one unit" })
        else
            unit = word
        end
    end
    local map = subjects.map(session, "hist", words[1])
    print(show.show(map, { width = (native.prompt.size()), histogram = kind, unit = unit }))
end

-- ---------------------------------------------------------------- :json

local SWITCH = { on = true, off = false }

local function json(session, rest)
    if rest == "" then
        session.is_json = not session.is_json
    elseif SWITCH[rest] ~= nil then
        session.is_json = SWITCH[rest]
    else
        errors.fail({ what = ("`:json` does not take `%s`"):format(rest), why = "it takes `on`, `off` or nothing, which switches" })
    end
    print(session.is_json and "results print as JSON" or "results print as text")
end

local function map_names()
    local notes = {}
    for _, map in ipairs(subjects.maps()) do
        notes[map.name] = map.kind
    end
    return notes
end

---Adds the commands.
---@param commands table
function M.define(commands)
    commands.define({
        name = "maps",
        args = "[-a]",
        help = "the maps and how full they are; -a on the whole system",
        run = maps,
    })
    commands.define({
        name = "watch",
        args = "MAP [SECONDS]",
        help = "a live view of a map, sorted; q returns",
        run = watch,
        complete = map_names,
    })
    commands.define({
        name = "hist",
        args = "MAP [UNIT] [linear]",
        help = "a map as a histogram: its keys are slots; UNIT is ns, us, ms, sec, bytes or a word",
        run = hist,
        complete = map_names,
    })
    commands.define({
        name = "json",
        args = "[on|off]",
        help = "print results and lists as JSON",
        run = json,
    })
end

return M
