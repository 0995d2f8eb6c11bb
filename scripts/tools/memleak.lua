-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Memory that was allocated and not given back, by the stack that allocated it"
description = """
Of a process (-p, -c): by the C library's functions, or those of another allocator (-O). Without one: of the kernel."""
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], default = 5, help = "seconds between two reports" },
  { name = "count", positional = true, type = "integer", range = [1, 1e9], help = "reports before it ends" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "look at this process" },
  { name = "command", flags = "-c --command", help = "run this command and look at it; what it prints goes to standard error" },
  { name = "trace", flags = "-t --trace", type = "flag", help = "print each allocation and each release, too" },
  { name = "show_allocs", flags = "-a --show-allocs", type = "flag", help = "print the address and size of what was not given back, too" },
  { name = "older", flags = "-o --older", type = "integer", range = [0, 1e12], default = 500, metavar = "MS", help = "milliseconds; what is younger is left out" },
  { name = "combined_only", flags = "--combined-only", type = "flag", help = "sums only, made in the kernel: cheaper, of any age" },
  { name = "wa_missing_free", flags = "--wa-missing-free", type = "flag", help = "understood, and always so: memory that is handed out again was given back" },
  { name = "sample_rate", flags = "-s --sample-rate", type = "integer", range = [1, 1e9], default = 1, metavar = "N", help = "look at one allocation of so many" },
  { name = "top", flags = "-T --top", type = "integer", range = [1, 1e9], default = 10, help = "stacks shown" },
  { name = "min_size", flags = "-z --min-size", type = "size", help = "smaller allocations are left out" },
  { name = "max_size", flags = "-Z --max-size", type = "size", help = "larger allocations are left out" },
  { name = "obj", flags = "-O --obj", default = "c", help = "the library or program that has the allocator" },
  { name = "percpu", flags = "--percpu", type = "flag", help = "memory that the kernel allocates for each CPU" },
  { name = "sort", flags = "--sort", type = "choice", choices = ["size", "count"], default = "size", help = "what the top stacks have most of" },
  { name = "symbols_prefix", flags = "--symbols-prefix", default = "", help = "what the allocator's functions begin with: je_" },
]
examples = [
  { run = "-p 1234", help = "what a process does not give back, every five seconds" },
  { run = "-p 1234 -O /usr/lib/libjemalloc.so", help = "with another allocator" },
  { run = "-c ./program 10 1 --flamegraph out.svg", help = "run a program, draw a flame graph after ten seconds" },
  { run = "-s 100 10", help = "the kernel, one allocation of 100" },
]
[outputs.stacks]
help = "bytes that were not given back, by stack"
[outputs.trace]
help = "allocations and releases (-t)"
columns = [
  { name = "comm", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "what", width = 5 },
  { name = "address", width = 18 },
  { name = "size", width = 10, type = "integer", unit = "bytes" },
]
[outputs.allocations]
help = "what was not given back (-a)"
columns = [
  { name = "address", width = 18 },
  { name = "size", width = 10, type = "integer", unit = "bytes" },
]
[requires]
attach = ["uprobe:*", "uretprobe:*", "tracepoint:kmem:*", "tracepoint:percpu:*"]
lua = ["ffi", "io.open", "io.popen", "os.execute"]
]==]

local ffi = require("ffi")
local allocators = require("bpflua.tool_allocators")
local command = require("bpflua.tool_command")
local tool = BPF.tool()
local args = tool.args
if args.pid and args.command then
    tool:fail("cannot look at two processes", "-p and -c exclude each other")
end

local started = args.command and command.start(args.command, io.popen, os.execute)
local pid = started and started.pid or args.pid

local b = BPF{
    text = allocators.TEXT,
    constants = {
        smallest = args.min_size,
        largest = args.max_size,
        of_samples = args.sample_rate,
        of_user = pid ~= nil,
        with_sums = args.combined_only,
        with_trace = args.trace,
    },
    attach = false,
}

local is_attached, why
if pid then
    is_attached, why = pcall(allocators.attach_process, tool, b, { pid = pid, file = args.obj, prefix = args.symbols_prefix })
else
    is_attached, why = pcall(allocators.attach_kernel, b, args.percpu)
end
if not is_attached then
    if started then
        started:kill()
    end
    error(why, 0)
end

local function hex(address)
    return ("0x%x"):format(address)
end

if args.trace then
    b.events:open_perf_buffer(function(_, event)
        tool.out.trace:print({ comm = ffi.string(event.comm), pid = event.pid, what = event.is_release and "free" or "alloc", address = hex(event.address), size = tonumber(event.size) })
    end, { page_cnt = 256 })
end

-- What was not given back, by stack: `{[stack] = {size, count}}`.
local function sums()
    local by_stack = {}
    if args.combined_only then
        for stack, sum in b.sums:items() do
            by_stack[stack] = { size = tonumber(sum.size), count = tonumber(sum.count) }
        end
        return by_stack
    end
    local limit = BPF.monotonic_time() - args.older * 1000000
    for address, allocation in b.allocations:items() do
        if allocation.at <= limit then
            local sum = by_stack[allocation.stack] or { size = 0, count = 0 }
            by_stack[allocation.stack] = sum
            sum.size, sum.count = sum.size + tonumber(allocation.size), sum.count + 1
            if args.show_allocs then
                tool.out.allocations:print({ address = hex(address), size = tonumber(allocation.size) })
            end
        end
    end
    return by_stack
end

local is_over = false

local function report()
    if is_over then
        return
    elseif pid and command.has_ended(pid, io.open) then
        is_over = true
        tool:say(("Process %d has ended"):format(pid))
        return BPF.exit(0)
    end
    local list = {}
    for stack, sum in pairs(sums()) do
        if sum.count > 0 then
            list[#list + 1] = { stack = stack, value = sum.size, count = sum.count }
        end
    end
    table.sort(list, function(x, y)
        local by = args.sort == "count" and "count" or "value"
        return x[by] > y[by]
    end)
    for i = #list, args.top + 1, -1 do
        list[i] = nil
    end
    for _, one in ipairs(list) do
        one.frames = tool:frames(b.stacks, { [pid and "user" or "kernel"] = one.stack, pid = pid })
        one.stack = nil
    end
    local title = ("[%s] Top %d stacks with outstanding allocations:"):format(os.date("%H:%M:%S"), #list)
    tool:stacks(list, { title = title, unit = "bytes", counted = "allocations", is_snapshot = true })
end

tool:say(pid and ("Tracing the allocations of process %d... Ctrl-C ends it"):format(pid) or "Tracing the kernel's allocations... Ctrl-C ends it")
if started then
    started:go()
end
tool:run({ interval = args.interval, count = args.count, each = report })
