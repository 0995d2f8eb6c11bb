-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Counts the stacks that lead to functions, tracepoints and USDT probes"
description = """
PATTERN is FUNCTION of the kernel, LIBRARY:FUNCTION, t:CATEGORY:EVENT or u:LIBRARY:[PROVIDER:]PROBE, each with `*`
for any characters; with -r FUNCTION or EVENT is a regular expression, which matches from the name's start."""
parameters = [
  { name = "pattern", positional = true, required = true, help = "where to count stacks" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "count in this process only" },
  { name = "cpu", flags = "-c --cpu", type = "integer", range = [0, 4095], help = "count on this CPU only" },
  { name = "interval", flags = "-i --interval", type = "duration", help = "show what came, every so often" },
  { name = "duration", flags = "-D --duration", type = "duration", help = "stop after this time" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "regexp", flags = "-r --regexp", type = "flag", help = "the pattern is a regular expression" },
  { name = "offset", flags = "-s --offset", type = "flag", help = "show the distances from the functions' starts" },
  { name = "perpid", flags = "-P --perpid", type = "flag", help = "count each process by itself" },
  { name = "kernel", flags = "-K --kernel-stacks-only", type = "flag", help = "stacks of the kernel only" },
  { name = "user", flags = "-U --user-stacks-only", type = "flag", help = "stacks of processes only" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "show the addresses" },
  { name = "delimited", flags = "-d --delimited", type = "flag", help = "put `--` between the kernel's frames and the process's" },
  { name = "size", flags = "--stack-storage-size", type = "integer", range = [16, 1048576], default = 10240, help = "how many different stacks there is room for" },
  { name = "debug", flags = "--debug", type = "flag", help = "print the C text first" },
]
examples = [
  { run = "submit_bio", help = "who asks for disk I/O" },
  { run = "-P -D 5 c:malloc", help = "who allocates, process by process" },
  { run = "-K --flamegraph out.svg t:sched:sched_switch", help = "a flame graph" },
]
[outputs.stacks]
help = "the stacks, with how often each led there"
[requires]
attach = ["kprobe:*", "uprobe:*", "tracepoint:*", "usdt:*"]
lua = ["ffi", "require"]
]==]

local ffi = require("ffi")
local probes_of = require("bpflua.tool_probes")
local stacks_of = require("bpflua.tool_probe_stacks")

local tool = BPF.tool()
local args = tool.args
if args.kernel and args.user then
    tool:fail("cannot count stacks", "`-K` and `-U` exclude each other")
end
-- Frames of processes are named by the process that they are of.
local per_process = args.perpid or args.user or args.pid ~= nil

local spec = probes_of.parse(args.pattern)
local probes = probes_of.expand(spec, { regexp = args.regexp, pid = args.pid })
-- The kernel has no stack of its own at a breakpoint in a program.
local is_user = spec.library ~= "" and spec.type ~= "t"
local wants_kernel = not args.user and not is_user
local wants_user = not args.kernel and (is_user or per_process)

local b = probes_of.start({
    declarations = ([[
struct key_t {
	u32 pid;
	int kernel, user;
	char comm[TASK_COMM_LEN];
};
BPF_STACK_TRACE(stacks, %d);
BPF_PERCPU_HASH(counts, struct key_t, u64, %d);
]]):format(args.size, args.size),
    sides = { {
        prefix = "count",
        probes = probes,
        lines = function()
            local lines = { "if (!is_wanted()) return 0;", "struct key_t key = { .kernel = -14, .user = -14 };" }
            if per_process or is_user then
                lines[#lines + 1] = "key.pid = bpf_get_current_pid_tgid() >> 32;"
                lines[#lines + 1] = "bpf_get_current_comm(key.comm, sizeof(key.comm));"
            end
            lines[#lines + 1] = wants_kernel and "key.kernel = stacks.get_stackid(ctx, 0);" or nil
            lines[#lines + 1] = wants_user and "key.user = stacks.get_stackid(ctx, BPF_F_USER_STACK);" or nil
            lines[#lines + 1] = "counts.atomic_increment(key);"
            return lines
        end,
    } },
    constants = probes_of.filter_constants({ pid = args.pid, cpu = args.cpu }),
    pid = args.pid,
    verbose = args.debug,
})

local FORM = { offset = args.offset, address = args.verbose, delimiter = args.delimited and "--" or nil }

-- Names of processes that are about to end are read while they are there.
local function remember()
    for key in b.counts:items() do
        if key.pid ~= 0 then
            stacks_of.process(key.pid)
        end
    end
end

-- Functions that are in the same place have one name, whatever the addresses behind it: their stacks are one.
local function add(list, by_text, stack)
    local id = table.concat(stack.frames, "\n") .. "\0" .. (stack.pid or "")
    local known = by_text[id]
    if known then
        known.value = known.value + stack.value
    elseif stack.value > 0 then
        by_text[id], list[#list + 1] = stack, stack
    end
end

local before = {}
local function show()
    local list, by_text, missing = {}, {}, 0
    for key, counts in b.counts:items() do
        local total, id = tonumber(counts:sum()), ("%d %d %d"):format(key.pid, key.kernel, key.user)
        local frames, lost = stacks_of.both(b.stacks, { kernel = wants_kernel and key.kernel, user = wants_user and key.user, pid = key.pid }, FORM)
        local comm = key.pid ~= 0 and (type(key.comm) == "string" and key.comm or ffi.string(key.comm)) or nil
        missing = missing + lost * (total - (before[id] or 0))
        add(list, by_text, {
            frames = frames, value = total - (before[id] or 0), comm = comm, pid = per_process and key.pid ~= 0 and key.pid or nil,
        })
        before[id] = total
    end
    if args.timestamp then
        tool:say(os.date("%H:%M:%S"))
    end
    tool:stacks(list, { unit = "hits" })
    if missing > 0 then
        tool:say(("%d hits have no stack: there was no room for more different ones (--stack-storage-size)"):format(missing))
    end
end

if wants_user then
    require("bpflua.events").loop():every(1, remember)
end
tool:say(probes_of.tracing(#probes))
tool:run({ interval = args.interval, duration = args.duration, each = show })
