-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long calls of functions take, as a histogram"
description = """
PATTERN is FUNCTION of the kernel or LIBRARY:FUNCTION, with `*` for any characters; with -r FUNCTION is a regular
expression, which matches from the name's start. A function that calls itself is timed at each level."""
parameters = [
  { name = "pattern", positional = true, required = true, help = "what to time" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "time in this process only" },
  { name = "interval", flags = "-i --interval", type = "duration", help = "show what came, every so often" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "microseconds", flags = "-u --microseconds", type = "flag", help = "in microseconds" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "in milliseconds" },
  { name = "by_function", flags = "-F --function", type = "flag", help = "a histogram for each function" },
  { name = "regexp", flags = "-r --regexp", type = "flag", help = "the pattern is a regular expression" },
  { name = "level", flags = "-l --level", type = "integer", range = [1, 32], default = 16, help = "how deep calls of one function inside each other are timed" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "print the C text first" },
]
examples = [
  { run = "vfs_read", help = "a function of the kernel, in nanoseconds" },
  { run = "-u c:read", help = "of a library, in microseconds" },
  { run = "-F 'vfs_fstat*'", help = "a histogram for each function" },
]
[requires]
attach = ["kprobe:*", "kretprobe:*", "uprobe:*", "uretprobe:*"]
]==]

local probes_of = require("bpflua.tool_probes")

local tool = BPF.tool()
local args = tool.args
if args.microseconds and args.milliseconds then
    tool:fail("cannot time calls", "`-u` and `-m` exclude each other")
end
local unit = args.milliseconds and "msecs" or args.microseconds and "usecs" or "nsecs"
local NANOSECONDS = { nsecs = 1, usecs = 1000, msecs = 1000000 }

local spec = probes_of.parse(args.pattern)
local options = { regexp = args.regexp, pid = args.pid }
local entries = probes_of.expand(spec, options)
local returns = probes_of.returns_of(spec, entries, options)

local DECLARATIONS = [[
#define MOST_LEVELS 32
const volatile u32 most_levels = 16;
const volatile u64 nanoseconds = 1;

struct call_t { u64 probe, thread; };
struct calls_t { u32 depth; u64 at[MOST_LEVELS]; };
struct key_t { u64 probe, slot; };
struct sum_t { u64 time, count; };

BPF_HASH(calls, struct call_t, struct calls_t, 16384);
HISTOGRAM
BPF_PERCPU_HASH(sums, u64, struct sum_t, 4096);
BPF_PERCPU_ARRAY(too_deep, u64, 1);

static __always_inline void enter(u64 probe)
{
	struct call_t key = { probe, bpf_get_current_pid_tgid() };
	struct calls_t none = {};
	if (!is_wanted())
		return;
	struct calls_t *of = calls.lookup_or_try_init(&key, &none);
	if (!of)
		return;
	u32 depth = of->depth++;
	if (depth < most_levels && depth < MOST_LEVELS)
		of->at[depth] = bpf_ktime_get_ns();
	else
		too_deep.atomic_increment(0);
}

static __always_inline void leave(u64 probe)
{
	u64 now = bpf_ktime_get_ns();
	struct call_t key = { probe, bpf_get_current_pid_tgid() };
	struct calls_t *of = calls.lookup(&key);
	if (!of)
		return; // it was under way when tracing began, or is filtered out
	u32 depth = --of->depth;
	u64 at = depth < MOST_LEVELS ? of->at[depth & (MOST_LEVELS - 1)] : 0;
	if (depth == 0 || depth > (1U << 31))
		calls.delete(&key);
	if (depth >= most_levels || depth >= MOST_LEVELS)
		return;
	u64 taken = (now - at) / nanoseconds;
	COUNT
	u64 id = 0;
	struct sum_t zero = {}, *sum = sums.lookup_or_try_init(&id, &zero);
	if (sum) {
		sum->time += taken;
		sum->count++;
	}
}
]]

-- One histogram, or one for each function.
local HISTOGRAM = {
    [true] = {
        "BPF_HISTOGRAM(latency, struct key_t, 65536);",
        "struct key_t slot = { probe, bpf_log2l(taken) };\n\tlatency.atomic_increment(slot);",
    },
    [false] = { "BPF_HISTOGRAM(latency);", "latency.atomic_increment(bpf_log2l(taken));" },
}

local function side(prefix, probes, call)
    return {
        prefix = prefix,
        probes = probes,
        lines = function()
            return { call .. "(PROBE_ID);" }
        end,
    }
end

local constants = probes_of.filter_constants({ pid = args.pid })
constants.most_levels, constants.nanoseconds = args.level, NANOSECONDS[unit]

local b = probes_of.start({
    declarations = DECLARATIONS:gsub("HISTOGRAM", HISTOGRAM[args.by_function][1]):gsub("COUNT", HISTOGRAM[args.by_function][2]),
    -- The ends come first: a call is never seen to begin without its end.
    sides = { side("leave", returns, "leave"), side("enter", entries, "enter") },
    constants = constants,
    pid = args.pid,
    verbose = args.verbose,
})

local function name_of(id)
    return args.by_function and probes_of.name_of(entries, id) or "all functions"
end

local function tell_averages()
    local total, count = 0, 0
    for _, values in b.sums:items() do
        for cpu = 0, values.cpus - 1 do
            total, count = total + tonumber(values[cpu].time), count + tonumber(values[cpu].count)
        end
    end
    if count > 0 then
        tool:say(("\navg = %d %s, total: %d %s, count: %d\n"):format(total / count, unit, total, unit, count))
    end
    b.sums:clear()
end

local function show(is_last)
    tool:hist(b.latency, {
        unit = unit,
        title = args.timestamp and os.date("%H:%M:%S") or nil,
        section = args.by_function and "Function" or nil,
        section_fn = args.by_function and name_of or nil,
        clear = true,
    })
    tell_averages()
    local deep = tonumber(b.too_deep[0]:sum())
    if is_last and deep > 0 then
        tool:say(("%d calls were deeper inside each other than %d levels, and are not timed (-l)"):format(deep, args.level))
    end
end

tool:say(probes_of.tracing(#entries))
tool:run({ interval = args.interval, duration = args.duration, each = show })
