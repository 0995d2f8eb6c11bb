-- SPDX-License-Identifier: Apache-2.0
--[==[ pack
summary = "All that a tool can show"
parameters = [
  { name = "what", type = "choice", positional = true, many = true, choices = ["rows", "other", "hist", "sections", "linear", "stacks", "lists", "views", "say", "nothing"], help = "what to show" },
  { name = "nasty", flags = "-n --nasty", type = "flag", help = "names that mean something in markup" },
]
columns = [
  { name = "comm", width = 10 },
  { name = "lat", title = "LAT(ms)", type = "number", decimals = 2, unit = "ms", width = 8 },
  { name = "addr", type = "integer", width = 20 },
]
[outputs.other]
columns = [{ name = "cpu", type = "integer" }, { name = "idle", type = "boolean" }]
[outputs.framed]
columns = [{ name = "cpu", type = "integer" }, { name = "stack", title = "" }]
[outputs.stacks]
help = "where it was"
]==]

local tool = BPF.tool()

local b = BPF{text = [[
struct key { char name[16]; u64 slot; };
BPF_HISTOGRAM(sizes);
BPF_HISTOGRAM(by_disk, struct key);
]]}

local NASTY = '<img src=x onerror="document.title=1">;\n&\226\128\174 \255 10'
local name = tool.args.nasty and NASTY or "sh"

local show = {
    rows = function()
        tool:print({ comm = name, lat = 1.23456, addr = 0xffffffffffffffffULL })
        tool:print({ comm = "b", lat = 10 })
        tool:print({ comm = "a", lat = 9.5, addr = 3 })
    end,
    other = function()
        tool.out.other:print({ cpu = 1, idle = true })
    end,
    lists = function()
        tool.out.framed:print({ cpu = 2, stack = { "read", "main" } })
        tool.out.framed:print({ cpu = 3, stack = {} })
    end,
    hist = function()
        b.sizes[1], b.sizes[4], b.sizes[11] = 2, 5, 3
        tool:hist(b.sizes, { unit = "usecs", title = "Latency", clear = true })
    end,
    sections = function()
        b.by_disk[{ name = tool.args.nasty and "<b>" or "sdb", slot = 3 }] = 4
        b.by_disk[{ name = "sda", slot = 2 }] = 7
        tool:hist(b.by_disk, { unit = "bytes", section = "disk" })
    end,
    linear = function()
        b.sizes[2], b.sizes[4] = 2, 5
        tool:hist(b.sizes, { linear = true, section_fn = tostring, unit = "length" })
    end,
    stacks = function()
        tool:stacks({
            { frames = { "read", "main" }, value = 30ULL, comm = name, pid = 7 },
            { frames = { name, "main" }, value = 10, comm = "dd" },
        }, { unit = "us", title = "Off CPU" })
    end,
    views = function()
        for i = 1, 3 do
            local rows = {}
            for j = 1, 40 do
                rows[j] = { comm = "view" .. i, lat = j }
            end
            tool:view(rows, { title = "view " .. i })
        end
    end,
    say = function()
        tool:say("Tracing... " .. name)
    end,
    nothing = function() end,
}

for _, what in ipairs(tool.args.what) do
    show[what]()
end
