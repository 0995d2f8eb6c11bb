-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Prints a line for each call of a function, tracepoint or USDT probe, with its values"
description = """
PROBE is written PROBE[(SIGNATURE)] [(FILTER)] ["FORMAT", VALUE, ...]. Its probe is FUNCTION of the kernel,
LIBRARY:FUNCTION, r:LIBRARY:FUNCTION at the return (r::FUNCTION of the kernel), t:CATEGORY:EVENT or
u:LIBRARY:[PROVIDER:]PROBE. Values and filter are C over arg1 to arg6, retval, args->FIELD of a tracepoint, the names of
the signature, $pid, $tgid, $uid, $gid, $cpu and $task; STRCMP("TEXT", VALUE) is true where a text begins so. The format
takes %d, %u, %x with l, ll, h; %c, %s, %p, %K and %U for the name behind an address of the kernel or the process.
`arg2@user` is an address of the process where that cannot be known."""
parameters = [
  { name = "probes", metavar = "PROBE", positional = true, required = true, many = true, help = "what to trace" },
  { name = "buffer_pages", flags = "-b --buffer-pages", type = "integer", range = [1, 65536], default = 64, help = "pages of each CPU's buffer, a power of two" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "trace this process only" },
  { name = "tid", flags = "-L --tid", type = "pid", help = "trace this thread only" },
  { name = "uid", flags = "--uid", type = "integer", range = [0, 4294967295], help = "trace this user only" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "print the C text first" },
  { name = "string_size", flags = "-Z --string-size", type = "integer", range = [2, 4096], default = 80, help = "bytes of a text at most" },
  { name = "include_self", flags = "-S --include-self", type = "flag", help = "trace this process, too" },
  { name = "max_events", flags = "-M --max-events", type = "integer", range = [1, 1000000000], help = "stop after so many lines" },
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the start" },
  { name = "unix_timestamp", flags = "-u --unix-timestamp", type = "flag", help = "with -t, seconds since 1970" },
  { name = "time", flags = "-T --time", type = "flag", help = "show the time of day" },
  { name = "print_cpu", flags = "-C --print_cpu", type = "flag", help = "show the CPU" },
  { name = "cgroup", flags = "-c --cgroup-path", type = "path", help = "trace what runs in this control group only" },
  { name = "comm", flags = "-n --name", metavar = "TEXT", help = "show processes only whose names hold this text" },
  { name = "msg_filter", flags = "-f --msg-filter", metavar = "TEXT", help = "show messages only that hold this text" },
  { name = "bin_cmp", flags = "-B --bin_cmp", type = "flag", help = "STRCMP takes \\xNN; it always does, the option is bcc's" },
  { name = "symbol_files", flags = "-s --sym_file_list", metavar = "FILES", help = "programs and libraries, with commas between, whose names are known of processes that are gone" },
  { name = "kernel_stack", flags = "-K --kernel-stack", type = "flag", help = "show the kernel's stack" },
  { name = "user_stack", flags = "-U --user-stack", type = "flag", help = "show the process's stack" },
  { name = "address", flags = "-a --address", type = "flag", help = "show addresses in stacks" },
  { name = "include", flags = "-I --include", metavar = "HEADER", many = true, help = "a header for the C text" },
  { name = "aggregate", flags = "-A --aggregate", type = "flag", help = "count equal messages, and show them at the end" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "elapsed", title = "TIME(s)", width = 17, type = "number", decimals = 6, unit = "s", right = false, when = "timestamp" },
  { name = "time", title = "TIME", width = 8, when = "time" },
  { name = "cpu", width = 3, type = "integer", right = false, when = "print_cpu" },
  { name = "count", width = 7, type = "integer", when = "aggregate" },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "tid", width = 7, type = "integer", right = false },
  { name = "comm", width = 15 },
  { name = "func", width = 16 },
  { name = "message", title = "-" },
  { name = "values", when = "--json" },
  { name = "stack", title = "" },
]
examples = [
  { run = "'c:open (arg2 == 0) \"%s\", arg1'", help = "files that are opened for reading" },
  { run = "'r:c:malloc (retval == 0) \"no memory\"'", help = "allocations that fail" },
  { run = "'t:block:block_rq_complete \"%d sectors\", args->nr_sector'", help = "a tracepoint's field" },
  { run = "-U 'do_sys_openat2 \"%s\", arg2@user'", help = "with the stack of the process" },
]
[requires]
attach = ["kprobe:*", "kretprobe:*", "uprobe:*", "uretprobe:*", "tracepoint:*", "usdt:*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local probes_of = require("bpflua.tool_probes")
local stacks_of = require("bpflua.tool_probe_stacks")
local trace = require("bpflua.tool_trace")

ffi.cdef("int getpid(void);")

local tool = BPF.tool()
local args = tool.args
if args.pid and args.tid then
    tool:fail("cannot trace", "`-p` and `-L` exclude each other")
elseif args.unix_timestamp and not args.timestamp then
    tool:fail("cannot show the time", "`-u` goes with `-t`")
end

local start, start_of_clock = BPF.monotonic_time(), os.time()
local shown, is_done, missing = 0, false, 0
-- With -A: rows by what they say, and their order.
local counted, order = {}, {}

local function count(row)
    local key = table.concat({ row.func, row.comm, row.pid, row.tid, row.message, table.concat(row.stack, "\n") }, "\0")
    if not counted[key] then
        counted[key], order[#order + 1] = row, row
        row.count = 0
    end
    counted[key].count = counted[key].count + 1
end

local function done()
    is_done = true
    BPF.exit(0)
end

local function on_event(of, event)
    local comm = ffi.string(event.comm)
    if is_done or args.comm and not comm:find(args.comm, 1, true) then
        return
    end
    local message, values = trace.message(of, event)
    if args.msg_filter and not message:find(args.msg_filter, 1, true) then
        return
    end
    local ids = { kernel = args.kernel_stack and event.kernel, user = args.user_stack and event.user, pid = event.pid }
    local frames, lost = stacks_of.both(of.bpf.stacks, ids, { offset = true, address = args.address, by_file = args.symbol_files and of.bpf.by_file })
    missing = missing + lost
    local elapsed = tonumber(event.at - start) / 1e9
    local row = {
        time = os.date("%H:%M:%S"), elapsed = args.unix_timestamp and start_of_clock + elapsed or elapsed, cpu = event.cpu,
        pid = event.pid, tid = event.tid, comm = comm, func = probes_of.name_of(of.probes, event.probe):match("[^:]*$"),
        message = message, values = values, stack = frames,
    }
    if args.aggregate then
        count(row)
    else
        tool:print(row)
    end
    shown = shown + 1
    if args.max_events and shown >= args.max_events then
        done()
    end
end

local options = {
    pid = args.pid, string_size = args.string_size, include = args.include, kernel_stack = args.kernel_stack,
    user_stack = args.user_stack, symbol_files = args.symbol_files, cgroup = args.cgroup, verbose = args.verbose,
    constants = probes_of.filter_constants({
        pid = args.pid, tid = args.tid, uid = args.uid, not_pid = not args.include_self and not args.pid and ffi.C.getpid() or nil,
    }),
}
for file in (args.symbol_files or ""):gmatch("[^,]+") do
    BPF.add_module(file)
end
local all = {}
for i, written in ipairs(args.probes) do
    all[i] = trace.parse(written)
end
for _, one in ipairs(all) do
    trace.start(one, options).events:open_perf_buffer(function(_, event)
        on_event(one, event)
    end, { page_cnt = args.buffer_pages })
end

if not args.aggregate then
    tool:header()
end
tool:run({ duration = args.duration })
table.sort(order, function(a, b)
    return a.count > b.count
end)
for _, row in ipairs(order) do
    tool:print(row)
end
if missing > 0 then
    tool:say(("%d stacks could not be kept: there was no room for more different ones"):format(missing))
end
