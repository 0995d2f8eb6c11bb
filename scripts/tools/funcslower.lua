-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Calls of functions that take longer than some time"
description = """
FUNCTION is one of the kernel, or LIBRARY:FUNCTION; several may be given, each with `*` for any characters."""
parameters = [
  { name = "functions", metavar = "FUNCTION", positional = true, required = true, many = true, help = "what to time" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "min_ms", flags = "-m --min-ms", type = "number", range = [0, 1000000000], help = "show calls of at least so many milliseconds (1 by default)" },
  { name = "min_us", flags = "-u --min-us", type = "number", range = [0, 1000000000000], help = "show calls of at least so many microseconds" },
  { name = "arguments", flags = "-a --arguments", type = "integer", range = [1, 6], help = "show so many arguments, as hexadecimal numbers" },
  { name = "time", flags = "-T --time", type = "flag", help = "show the time of day" },
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the start" },
  { name = "user_stack", flags = "-U --user-stack", type = "flag", help = "show the process's stack" },
  { name = "kernel_stack", flags = "-K --kernel-stack", type = "flag", help = "show the kernel's stack" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "print the C text first" },
]
columns = [
  { name = "time", title = "TIME", width = 8, when = "time" },
  { name = "elapsed", title = "TIME(s)", width = 12, type = "number", decimals = 6, unit = "s", right = false, when = "timestamp" },
  { name = "comm", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "lat", title = "LAT(us)", width = 12, type = "number", decimals = 2, unit = "us" },
  { name = "ret", title = "RVAL", width = 18 },
  { name = "func", width = 24 },
  { name = "args", title = "ARGS", when = "arguments" },
  { name = "stack", title = "" },
]
examples = [
  { run = "vfs_write", help = "writes of a millisecond and more" },
  { run = "-u 10 c:malloc c:free", help = "either, from 10 microseconds on" },
  { run = "-a 2 -UK -m 10 c:open", help = "with two arguments and both stacks" },
]
[outputs.stacks]
help = "the stacks of -U and -K, with the time that the calls took"
[requires]
attach = ["kprobe:*", "kretprobe:*", "uprobe:*", "uretprobe:*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local probes_of = require("bpflua.tool_probes")
local stacks_of = require("bpflua.tool_probe_stacks")

local tool = BPF.tool()
local args = tool.args
if args.min_ms and args.min_us then
    tool:fail("cannot time calls", "`-m` and `-u` exclude each other")
elseif (tool.form.folded or tool.form.flamegraph) and not (args.user_stack or args.kernel_stack) then
    tool:fail("cannot show folded stacks", "they need `-U`, `-K`, or both")
end
local least_ns = args.min_us and args.min_us * 1e3 or (args.min_ms or 1) * 1e6

local entries, returns = {}, {}
for _, function_text in ipairs(args.functions) do
    local spec = probes_of.parse(function_text)
    local options = { pid = args.pid, first = #entries + 1 }
    local found = probes_of.expand(spec, options)
    for i, probe in ipairs(probes_of.returns_of(spec, found, options)) do
        entries[#entries + 1], returns[#returns + 1] = found[i], probe
    end
end

local DECLARATIONS = [[
const volatile u64 least_ns = 0;
const volatile u32 count_args = 0;

struct call_t { u64 probe, thread; };
struct begun_t { u64 at; u64 args[6]; };
struct event_t {
	u64 probe, at, taken, ret;
	u64 args[6];
	u32 pid;
	int kernel, user;
	char comm[TASK_COMM_LEN];
};

BPF_HASH(calls, struct call_t, struct begun_t, 16384);
BPF_STACK_TRACE(stacks, 8192);
BPF_PERF_OUTPUT(events);

static __always_inline void enter(struct pt_regs *ctx, u64 probe)
{
	struct call_t key = { probe, bpf_get_current_pid_tgid() };
	if (!is_wanted())
		return;
	struct begun_t begun = {};
	begun.args[0] = PT_REGS_PARM1(ctx);
	begun.args[1] = PT_REGS_PARM2(ctx);
	begun.args[2] = PT_REGS_PARM3(ctx);
	begun.args[3] = PT_REGS_PARM4(ctx);
	begun.args[4] = PT_REGS_PARM5(ctx);
	begun.args[5] = PT_REGS_PARM6(ctx);
	begun.at = bpf_ktime_get_ns();
	calls.update(&key, &begun);
}
]]

-- Without arguments a function may be attached by fentry, which has only those that it has.
if not args.arguments then
    DECLARATIONS = DECLARATIONS:gsub("\tbegun%.args%[%d%] = [^\n]*\n", "")
end

local function leave()
    local lines = {
        "u64 now = bpf_ktime_get_ns(), probe = PROBE_ID;",
        "struct call_t key = { probe, bpf_get_current_pid_tgid() };",
        "struct begun_t *begun = calls.lookup(&key);",
        "if (!begun) return 0;",
        "struct event_t event = { .probe = probe, .at = now, .taken = now - begun->at, .kernel = -14, .user = -14 };",
        "__builtin_memcpy(event.args, begun->args, sizeof(event.args));",
        "calls.delete(&key);",
        "if (event.taken < least_ns) return 0;",
        "event.ret = PT_REGS_RC(ctx);",
        "event.pid = key.thread >> 32;",
        "bpf_get_current_comm(event.comm, sizeof(event.comm));",
    }
    lines[#lines + 1] = args.kernel_stack and "event.kernel = stacks.get_stackid(ctx, 0);" or nil
    lines[#lines + 1] = args.user_stack and "event.user = stacks.get_stackid(ctx, BPF_F_USER_STACK);" or nil
    lines[#lines + 1] = "events.perf_submit(ctx, &event, sizeof(event));"
    return lines
end

local constants = probes_of.filter_constants({ pid = args.pid })
constants.least_ns = least_ns

local b = probes_of.start({
    declarations = DECLARATIONS:gsub("const volatile u32 count_args = 0;\n", ""),
    sides = {
        { prefix = "leave", probes = returns, lines = leave },
        { prefix = "enter", probes = entries, lines = function() return { "enter(ctx, PROBE_ID);" } end },
    },
    constants = constants,
    pid = args.pid,
    verbose = args.verbose,
})

local function arguments(event)
    local list = {}
    for i = 1, args.arguments or 0 do
        list[i] = ("0x%x"):format(event.args[i - 1])
    end
    return table.concat(list, " ")
end

local start = BPF.monotonic_time()
local missing = 0
b.events:open_perf_buffer(function(_, event)
    local comm, func = ffi.string(event.comm), probes_of.name_of(entries, event.probe)
    local frames, lost = stacks_of.both(b.stacks, { kernel = args.kernel_stack and event.kernel, user = args.user_stack and event.user, pid = event.pid })
    local lat = tonumber(event.taken) / 1e3
    missing = missing + lost
    if tool.form.folded or tool.form.flamegraph then
        tool:stacks({ { frames = frames, value = math.floor(lat), comm = comm, pid = event.pid } }, { unit = "us" })
    end
    tool:print({
        time = os.date("%H:%M:%S"),
        elapsed = tonumber(event.at - start) / 1e9,
        comm = comm,
        pid = event.pid,
        lat = lat,
        ret = ("0x%x"):format(event.ret),
        func = func,
        args = arguments(event),
        stack = frames,
    })
end, { page_cnt = 64 })

tool:say(("Tracing calls of %s slower than %g us... Hit Ctrl-C to end."):format(table.concat(args.functions, ", "), least_ns / 1e3))
tool:header()
tool:run({ duration = args.duration })
if missing > 0 then
    tool:say(("%d stacks could not be kept: there was no room for more different ones"):format(missing))
end
