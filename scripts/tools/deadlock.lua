-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Locks of a process that are taken in different orders, which may end in a deadlock"
description = """
Watches which mutexes are taken while which others are held. When they make a circle, it prints who takes what where, and ends with
status 1. The process slows down while it is watched."""
parameters = [
  { name = "pid", positional = true, required = true, type = "pid", help = "the process" },
  { name = "binary", flags = "--binary", type = "path", help = "the program or library that has the functions that lock" },
  { name = "dump_graph", flags = "--dump-graph", type = "path", metavar = "FILE", help = "write the graph of the mutexes to this file (JSON)" },
  { name = "verbose", flags = "--verbose", type = "flag", help = "print how many mutexes and orders there are, every second" },
  { name = "lock_symbols", flags = "--lock-symbols", default = "pthread_mutex_lock", metavar = "NAMES", help = "functions that lock, with commas between" },
  { name = "unlock_symbols", flags = "--unlock-symbols", default = "pthread_mutex_unlock", metavar = "NAMES", help = "functions that unlock, with commas between" },
  { name = "threads", flags = "-t --threads", type = "integer", range = [1, 1e8], default = 65536, help = "threads at most" },
  { name = "edges", flags = "-e --edges", type = "integer", range = [1, 1e8], default = 65536, help = "orders of two mutexes at most" },
  { name = "stacktraces", flags = "-s --stacktraces", type = "integer", range = [1, 1e8], default = 65536, help = "stacks at most" },
]
columns = [
  { name = "held", title = "HELD", width = 24 },
  { name = "taken", title = "TAKEN", width = 24 },
  { name = "tid", width = 7, type = "integer" },
  { name = "comm", width = 16 },
  { name = "held_stack", title = "HELD_STACK" },
  { name = "taken_stack", title = "TAKEN_STACK" },
  { name = "creator_tid", title = "CREATOR", width = 7, type = "integer" },
  { name = "creator_stack", title = "CREATOR_STACK" },
]
examples = [
  { run = "1234", help = "watch a process until Ctrl-C" },
  { run = "1234 --binary /opt/lib/libx.so --lock-symbols x_lock --unlock-symbols x_unlock", help = "locks of another library" },
]
[requires]
attach = ["uprobe:*", "raw_tracepoint:task_newtask"]
lua = ["ffi", "io.open"]
]==]

local ffi = require("ffi")
local lock_graph = require("bpflua.tool_lock_graph")
local locks = require("bpflua.tool_locks")
local tool = BPF.tool()
local args = tool.args

BPF.SymbolCache(args.pid) -- fails when there is no such process

local function words(text)
    local list = {}
    for word in text:gmatch("[^,%s]+") do
        list[#list + 1] = word
    end
    return list
end

-- The file with a function: what was given, the program itself, or the C library that it has mapped.
local function file_with(symbol)
    if args.binary and symbol ~= "pthread_create" then
        return args.binary
    end
    local program = ("/proc/%d/exe"):format(args.pid)
    local has, functions = pcall(BPF.get_user_functions, program, symbol .. "$")
    if has and #functions > 0 then
        return program
    end
    for _, name in ipairs({ "c", "pthread" }) do
        local path = BPF.find_library(name, args.pid)
        if path and #BPF.get_user_functions(path, symbol .. "$") > 0 then
            return path
        end
    end
    tool:fail(("cannot watch the locks of process %d"):format(args.pid), ("neither it nor its C library has a function `%s`"):format(symbol))
end

local b = BPF{
    text = locks.TEXT,
    constants = { tgid = args.pid },
    maps = {
        threads = { max_entries = args.threads },
        creating = { max_entries = args.threads },
        creators = { max_entries = args.threads },
        orders = { max_entries = args.edges },
        stacks = { max_entries = args.stacktraces },
    },
    attach = false,
}
b:attach_raw_tracepoint({ tp = "task_newtask", fn_name = "on_thread" })
local has_create, create = pcall(file_with, "pthread_create")
if has_create then -- else who created a thread is not told
    b:attach_uprobe({ name = create, sym = "pthread_create", fn_name = "on_create", pid = args.pid })
end
-- Releases first: a mutex whose release is not seen would be held forever.
for _, symbol in ipairs(words(args.unlock_symbols)) do
    b:attach_uprobe({ name = file_with(symbol), sym = symbol, fn_name = "on_unlock", pid = args.pid })
end
for _, symbol in ipairs(words(args.lock_symbols)) do
    b:attach_uprobe({ name = file_with(symbol), sym = symbol, fn_name = "on_lock", pid = args.pid })
end

local graph = lock_graph.new()

local function frames_of(stack, caller)
    local frames = tool:frames(b.stacks, { user = stack, pid = args.pid })
    local name = caller and BPF.sym(caller, args.pid)
    if name and frames[2] ~= name then
        table.insert(frames, math.min(2, #frames + 1), name)
    end
    return frames
end

local function lines(frames)
    return "\n    " .. table.concat(frames, "\n    ") .. "\n"
end

local function tell_order(order, names)
    local creator = b.creators[order.tid]
    local seen = order.seen
    local held, taken = frames_of(seen.held_stack, seen.held_caller), frames_of(seen.taken_stack, seen.taken_caller)
    local who = ("thread %d (%s)"):format(order.tid, order.comm)
    if tool:is_text() then
        tool:say(("Mutex %s is taken here while mutex %s is held, by %s:%s"):format(names[order.taken], names[order.held], who, lines(taken)))
        tool:say(("Mutex %s was taken here by the same thread:%s"):format(names[order.held], lines(held)))
        if creator then
            tool:say(("The thread was created here, by thread %d (%s):%s"):format(creator.tid, ffi.string(creator.comm), lines(frames_of(creator.stack, creator.caller))))
        end
        return
    end
    tool:print({
        held = order.held,
        taken = order.taken,
        tid = order.tid,
        comm = order.comm,
        held_stack = table.concat(held, ";"),
        taken_stack = table.concat(taken, ";"),
        creator_tid = creator and creator.tid,
        creator_stack = creator and table.concat(frames_of(creator.stack, creator.caller), ";"),
    })
end

local function tell(circle)
    local names, shown = {}, {}
    for i, order in ipairs(circle) do
        names[order.held] = ("M%d (%s)"):format(i - 1, order.held)
        shown[i] = names[order.held]
    end
    shown[#shown + 1] = shown[1]
    tool:say(("Potential deadlock: mutexes are taken in a circle: %s\n"):format(table.concat(shown, " => ")))
    for _, order in ipairs(circle) do
        tell_order(order, names)
    end
end

local function dump()
    local file = args.dump_graph and assert(io.open(args.dump_graph, "w"))
    if file then
        file:write(graph:json(), "\n")
        file:close()
    end
end

local is_over = false

local function look(is_last)
    local circle
    if is_over then
        return
    end
    for order, seen in b.orders:items() do
        local new = graph:note(order, seen)
        circle = circle or new and graph:circle(new)
    end
    if args.verbose then
        tool:say(("%d mutexes, %d orders of two"):format(graph.mutexes, graph.orders))
    end
    local comm = io.open(("/proc/%d/comm"):format(args.pid))
    local has_ended = not comm or comm:close() == false
    if circle or is_last or has_ended then
        dump()
        local beyond = tonumber(b.too_many[0])
        if beyond > 0 then
            io.stderr:write(("warning: %d mutexes were not looked at: their threads held 16 others\n"):format(beyond))
        end
    end
    is_over = circle ~= nil or has_ended
    if circle then
        tell(circle)
        BPF.exit(1)
    elseif has_ended then
        tool:say(("Process %d has ended"):format(args.pid))
        BPF.exit(0)
    end
end

tool:say(("Watching the locks of process %d... Ctrl-C ends it"):format(args.pid))
tool:run({ interval = 1, each = look })
