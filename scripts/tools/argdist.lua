-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How values of functions, tracepoints and USDT probes are distributed: counts or histograms"
description = """
SPECIFIER is KIND:LIBRARY:FUNCTION(SIGNATURE)[:TYPE, ...[:EXPRESSION, ...[:FILTER]]][#LABEL]. KIND is p at the beginning of
a function, r at its return, t for a tracepoint (LIBRARY is then its category), u for a USDT probe; without LIBRARY the
function is of the kernel. Expressions are C over the names of the signature, arg1 to arg6, args->FIELD of a tracepoint,
$retval, $latency (nanoseconds) and $entry(NAME) at a return, $PID, $TID, $UID, $COMM and $CPU. A `char *` is counted as text.
STRCMP("TEXT", VALUE) is true where a text begins so."""
parameters = [
  { name = "histograms", flags = "-H --histogram", metavar = "SPECIFIER", many = true, help = "a histogram of a value" },
  { name = "counts", flags = "-C --count", metavar = "SPECIFIER", many = true, help = "how often each value is there" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "trace this process only" },
  { name = "tid", flags = "-t --tid", type = "pid", help = "trace this thread only" },
  { name = "string_size", flags = "-z --string-size", type = "integer", range = [2, 384], default = 80, help = "bytes of a text at most" },
  { name = "interval", flags = "-i --interval", type = "duration", default = "1s", help = "show it every so often" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "number", flags = "-n --number", type = "integer", range = [1, 1000000000], help = "stop after so many intervals" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "print the C text first" },
  { name = "cumulative", flags = "-c --cumulative", type = "flag", help = "go on counting from one interval to the next" },
  { name = "top", flags = "-T --top", type = "integer", range = [1, 1000000], help = "show so many counts at most" },
  { name = "include", flags = "-I --include", metavar = "HEADER", many = true, help = "a header for the C text" },
]
columns = [
  { name = "label", when = "--json" },
  { name = "count", title = "COUNT", width = 10, type = "integer" },
  { name = "event", title = "EVENT" },
  { name = "values", when = "--json" },
]
examples = [
  { run = "-H 'p:c:write(int fd, const void *buf, size_t n):size_t:n:fd==1'", help = "sizes of writes" },
  { run = "-C 'r:c:open():int:$retval:$retval<0#failed opens'", help = "results" },
  { run = "-H 'r::vfs_read(void *f, char *b, size_t n):u64:$latency/$entry(n)#ns per byte'", help = "what a byte takes" },
  { run = "-C 't:irq:irq_handler_entry():int:args->irq'", help = "interrupts by number" },
]
[requires]
attach = ["kprobe:*", "kretprobe:*", "uprobe:*", "uretprobe:*", "tracepoint:*", "usdt:*"]
]==]

local argdist = require("bpflua.tool_argdist")
local probes_of = require("bpflua.tool_probes")

local tool = BPF.tool()
local args = tool.args
if #args.histograms + #args.counts == 0 then
    tool:fail("cannot trace", "there is no specifier: `-H SPECIFIER` for a histogram, `-C SPECIFIER` for counts")
end

local options = {
    pid = args.pid, string_size = args.string_size, include = args.include, verbose = args.verbose,
    constants = probes_of.filter_constants({ pid = args.pid, tid = args.tid }),
}
local all = {}
for _, of in ipairs({ { "count", args.counts }, { "hist", args.histograms } }) do
    for _, written in ipairs(of[2]) do
        all[#all + 1] = argdist.parse(of[1], written)
    end
end
for _, one in ipairs(all) do
    argdist.start(one, options)
end

local function show_one(one)
    if one.kind == "hist" then
        local unit = one.is_plain and "count" or one.written[1]
        tool:hist(one.bpf.dist, { title = one.label, unit = unit, clear = not args.cumulative })
    else
        tool:view(argdist.rows(one, args.top), { title = one.label, keep = true })
        if not args.cumulative then
            one.bpf.counts:clear()
        end
    end
end

tool:run({
    interval = args.interval,
    duration = args.duration,
    count = args.number,
    each = function()
        if not (tool.form.json or tool.form.csv) then
            tool:say(os.date("[%H:%M:%S]"))
        end
        for _, one in ipairs(all) do
            show_one(one)
        end
    end,
})
