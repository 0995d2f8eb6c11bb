-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Counts calls of functions, and hits of tracepoints and USDT probes"
description = """
PATTERN is FUNCTION of the kernel, LIBRARY:FUNCTION, t:CATEGORY:EVENT or u:LIBRARY:[PROVIDER:]PROBE, each with `*`
for any characters; with -r FUNCTION or EVENT is a regular expression, which matches from the name's start."""
parameters = [
  { name = "pattern", positional = true, required = true, help = "what to count" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "count in this process only" },
  { name = "interval", flags = "-i --interval", type = "duration", help = "show what came, every so often" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "regexp", flags = "-r --regexp", type = "flag", help = "the pattern is a regular expression" },
  { name = "cpu", flags = "-c --cpu", type = "integer", range = [0, 4095], help = "count on this CPU only" },
  { name = "debug", flags = "-D --debug", type = "flag", help = "print the C text first" },
]
columns = [
  { name = "time", title = "TIME", width = 8, when = "timestamp" },
  { name = "func", title = "FUNC", width = 36 },
  { name = "count", title = "COUNT", width = 10, type = "integer" },
]
examples = [
  { run = "'vfs_*'", help = "functions of the kernel" },
  { run = "-r '^vfs_(read|write)$'", help = "by a regular expression" },
  { run = "-i 1 -d 5 c:malloc", help = "of a library, each second" },
  { run = "'t:sched:sched_*'", help = "tracepoints" },
]
[requires]
attach = ["kprobe:*", "uprobe:*", "tracepoint:*", "usdt:*"]
]==]

local probes_of = require("bpflua.tool_probes")

local tool = BPF.tool()
local args = tool.args

local probes = probes_of.expand(probes_of.parse(args.pattern), { regexp = args.regexp, pid = args.pid })

local b = probes_of.start({
    declarations = "BPF_PERCPU_HASH(counts, u64, u64, 4096);",
    sides = { {
        prefix = "count",
        probes = probes,
        lines = function()
            return { "if (!is_wanted()) return 0;", "u64 id = PROBE_ID;", "counts.atomic_increment(id);" }
        end,
    } },
    constants = probes_of.filter_constants({ pid = args.pid, cpu = args.cpu }),
    pid = args.pid,
    verbose = args.debug,
})

-- What came since the last time, the most last.
local before = {}
local function rows()
    local list = {}
    for id, counts in b.counts:items() do
        local total = tonumber(counts:sum())
        local key = tostring(id)
        local count = total - (before[key] or 0)
        before[key] = total
        if count > 0 then
            list[#list + 1] = { func = probes_of.name_of(probes, id), count = count, time = os.date("%H:%M:%S") }
        end
    end
    table.sort(list, function(one, other)
        if one.count ~= other.count then
            return one.count < other.count
        end
        return one.func < other.func
    end)
    return list
end

tool:say(probes_of.tracing(#probes))
tool:run({
    interval = args.interval,
    duration = args.duration,
    each = function()
        tool:view(rows(), { keep = true })
    end,
})
