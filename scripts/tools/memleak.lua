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
lua = ["ffi", "io.popen", "os.execute"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args
if args.pid and args.command then
    tool:fail("cannot look at two processes", "-p and -c exclude each other")
end

local TEXT = [[
const volatile u64 smallest = 0, largest = -1, of_samples = 1;
const volatile bool of_user = false, with_sums = false, with_trace = false;

struct call { u64 size, place; u32 function; };
struct allocation { u64 size, at; int stack; };
struct sum { s64 size, count; };
struct event { u64 address, size; u32 pid; bool is_release; char comm[TASK_COMM_LEN]; };
BPF_HASH(calls, u32, struct call, 10240); // by thread: what is under way
BPF_HASH(allocations, u64, struct allocation, 1000000);
BPF_HASH(sums, int, struct sum, 16384);
BPF_STACK_TRACE(stacks, 16384);
BPF_PERF_OUTPUT(events);

static __always_inline void tell(void *ctx, u64 address, u64 size, bool is_release)
{
    struct event event = { .address = address, .size = size, .is_release = is_release };
    if (!with_trace)
        return;
    event.pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    events.perf_submit(ctx, &event, sizeof(event));
}

static __always_inline void add(int stack, s64 size, s64 count)
{
    struct sum none = {}, *sum = with_sums ? sums.lookup_or_try_init(&stack, &none) : 0;
    if (sum) {
        lock_xadd(&sum->size, size);
        lock_xadd(&sum->count, count);
    }
}

static __always_inline int release(void *ctx, u64 address)
{
    struct allocation *old = allocations.lookup(&address);
    if (!old)
        return 0;
    tell(ctx, address, old->size, true);
    add(old->stack, -old->size, -1);
    allocations.delete(&address);
    return 0;
}

static __always_inline bool is_wanted(u64 size)
{
    return size >= smallest && size <= largest && (of_samples < 2 || bpf_get_prandom_u32() % of_samples == 0);
}

static __always_inline int allocated(void *ctx, u64 address, u64 size)
{
    struct allocation new = { .size = size, .at = bpf_ktime_get_ns() };
    if (!address || address == (u64)-1)
        return 0;
    release(ctx, address); // it was given back in a way that is not seen
    new.stack = stacks.get_stackid(ctx, of_user ? BPF_F_USER_STACK : 0);
    allocations.update(&address, &new);
    add(new.stack, size, 1);
    tell(ctx, address, size, false);
    return 0;
}

// An allocator may call another, mmap for instance: the outermost counts.
static __always_inline int enter(u32 function, u64 size, u64 place)
{
    u32 thread = bpf_get_current_pid_tgid();
    struct call call = { .size = size, .place = place, .function = function };
    if (!calls.lookup(&thread))
        calls.update(&thread, &call);
    return 0;
}

static __always_inline int leave(struct pt_regs *ctx, u32 function)
{
    u32 thread = bpf_get_current_pid_tgid();
    u64 address = PT_REGS_RC(ctx);
    struct call *call = calls.lookup(&thread);
    if (!call || call->function != function)
        return 0;
    u64 size = call->size, place = call->place;
    calls.delete(&thread);
    if (!is_wanted(size))
        return 0;
    if (place && bpf_probe_read_user(&address, sizeof(address), (void *)place))
        return 0;
    return allocated(ctx, address, size);
}

#define ALLOCATOR(number, name, size, place, old, ...)                                             \
    int enter_##name(struct pt_regs *ctx, __VA_ARGS__)                                             \
    {                                                                                              \
        if (old)                                                                                   \
            release(ctx, (u64)(old));                                                              \
        return enter(number, size, (u64)(place));                                                  \
    }                                                                                              \
    int leave_##name(struct pt_regs *ctx) { return leave(ctx, number); }

ALLOCATOR(1, malloc, size, 0, 0, size_t size)
ALLOCATOR(2, calloc, count * size, 0, 0, size_t count, size_t size)
ALLOCATOR(3, realloc, size, 0, old, void *old, size_t size)
ALLOCATOR(4, reallocarray, count * size, 0, old, void *old, size_t count, size_t size)
ALLOCATOR(5, posix_memalign, size, place, 0, void **place, size_t alignment, size_t size)
ALLOCATOR(6, memalign, size, 0, 0, size_t alignment, size_t size)
ALLOCATOR(7, aligned_alloc, size, 0, 0, size_t alignment, size_t size)
ALLOCATOR(8, valloc, size, 0, 0, size_t size)
ALLOCATOR(9, pvalloc, size, 0, 0, size_t size)
ALLOCATOR(10, mmap, size, 0, 0, void *at, size_t size)
int enter_free(struct pt_regs *ctx, void *address) { return release(ctx, (u64)address); }
int enter_munmap(struct pt_regs *ctx, void *address) { return release(ctx, (u64)address); }

// kmalloc_node and kmem_cache_alloc_node begin as these do.
TRACEPOINT_PROBE(kmem, kmalloc) { return is_wanted(args->bytes_alloc) ? allocated(args, (u64)args->ptr, args->bytes_alloc) : 0; }
TRACEPOINT_PROBE(kmem, kmem_cache_alloc) { return is_wanted(args->bytes_alloc) ? allocated(args, (u64)args->ptr, args->bytes_alloc) : 0; }
TRACEPOINT_PROBE(kmem, kfree) { return release(args, (u64)args->ptr); }
TRACEPOINT_PROBE(kmem, kmem_cache_free) { return release(args, (u64)args->ptr); }
TRACEPOINT_PROBE(kmem, mm_page_alloc)
{
    u64 size = (u64)PAGE_SIZE << args->order;
    return is_wanted(size) ? allocated(args, args->pfn, size) : 0;
}
TRACEPOINT_PROBE(kmem, mm_page_free) { return release(args, args->pfn); }
TRACEPOINT_PROBE(percpu, percpu_alloc_percpu) { return is_wanted(args->size) ? allocated(args, (u64)args->ptr, args->size) : 0; }
TRACEPOINT_PROBE(percpu, percpu_free_percpu) { return release(args, (u64)args->ptr); }
]]

local function start_command()
    local quoted = args.command:gsub("'", "'\\''")
    -- It stops before the program begins, until it is looked at. Beside a shell it would not hear Ctrl-C.
    local start = "env --default-signal=INT,QUIT sh -c 'echo $$; exec >&2; kill -STOP $$; eval \"exec $0\"' '%s' </dev/null &"
    local pipe = io.popen(start:format(quoted))
    local started = tonumber(pipe:read("*l"))
    pipe:close()
    return started
end
local pid = args.command and start_command() or args.pid

local b = BPF{
    text = TEXT,
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

local FUNCTIONS = {
    "malloc", "calloc", "realloc", "reallocarray", "posix_memalign", "memalign", "aligned_alloc", "valloc", "pvalloc", "mmap", "free", "munmap",
}

local function attach_process()
    for _, name in ipairs(FUNCTIONS) do
        local sym, is_release = args.symbols_prefix .. name, name == "free" or name == "munmap"
        -- Not every allocator has all of them.
        if #BPF.get_user_functions(args.obj, sym .. "$") > 0 then
            b:attach_uprobe({ name = args.obj, sym = sym, fn_name = "enter_" .. name, pid = pid })
            if not is_release then
                b:attach_uretprobe({ name = args.obj, sym = sym, fn_name = "leave_" .. name, pid = pid })
            end
        elseif name == "malloc" or name == "free" then
            tool:fail(("cannot look at the allocator of `%s`"):format(args.obj), ("it has no function `%s`"):format(sym))
        end
    end
end

local function attach_kernel()
    local group = args.percpu and { percpu = { "percpu_alloc_percpu", "percpu_free_percpu" } }
        or { kmem = { "kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free", "mm_page_alloc", "mm_page_free" } }
    for category, events in pairs(group) do
        for _, event in ipairs(events) do
            b:attach_tracepoint({ tp = category .. ":" .. event, fn_name = ("tracepoint__%s__%s"):format(category, event) })
            if BPF.tracepoint_exists(category, event .. "_node") then -- until Linux 6.1
                b:attach_tracepoint({ tp = ("%s:%s_node"):format(category, event), fn_name = ("tracepoint__%s__%s"):format(category, event) })
            end
        end
    end
end

local is_attached, why = pcall(pid and attach_process or attach_kernel)
if not is_attached then
    if args.command then
        os.execute("kill -KILL " .. pid) -- it would stay stopped
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

-- A process that has ended holds no memory, and its names are gone; one that nobody waits for stays as a zombie.
local function has_ended()
    local file = pid and io.open(("/proc/%d/stat"):format(pid))
    local stat = file and file:read("*a")
    if file then
        file:close()
    end
    return pid and (not stat or stat:find("%) [ZX] "))
end

local is_over = false

local function report()
    if is_over then
        return
    elseif has_ended() then
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
if args.command then
    os.execute("kill -CONT " .. pid)
end
tool:run({ interval = args.interval, count = args.count, each = report })
