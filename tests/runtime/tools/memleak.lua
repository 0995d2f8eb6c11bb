#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- memleak.lua: memory that a process allocates and does not give back, by the stacks that allocated it.

local argparse = require("bpflua.utils").argparse
local parser = argparse("memleak.lua", "Memory that a process has allocated since and not given back, by stack")
parser:argument("interval", "seconds between two reports"):default("5"):convert(tonumber):args("?")
parser:argument("count", "reports before it ends; until Ctrl-C unless given"):convert(tonumber):args("?")
parser:option("-p --pid", "the process"):convert(tonumber)
parser:option("-O --obj", "the allocator's program or library"):default("c")
parser:option("-T --top", "stacks that are shown"):default("10"):convert(tonumber)
parser:option("-z --min-size", "smaller allocations are left out"):default("0"):convert(tonumber)
local args = parser:parse()
if not args.pid then
    parser:error("give a process: --pid")
end

local HEAD = [[
struct call { u64 size; u64 place; u32 function; };
BPF_HASH(calls, u32, struct call, 10240);      // by thread: the allocation that is under way
struct allocation { u64 size; int stack; };
BPF_HASH(allocations, u64, struct allocation, 1000000);
BPF_STACK_TRACE(stacks, 10240);

// An allocator may call another, mmap for instance: the outermost counts.
static int enter(u32 function, u64 size, u64 place)
{
    u32 thread = bpf_get_current_pid_tgid();
    struct call call = { .size = size, .place = place, .function = function };

    if (size >= MIN_SIZE && !calls.lookup(&thread))
        calls.update(&thread, &call);
    return 0;
}

static int leave(struct pt_regs *ctx, u32 function, u64 address)
{
    u32 thread = bpf_get_current_pid_tgid();
    struct call *call = calls.lookup(&thread);
    struct allocation allocation = {};

    if (!call || call->function != function)
        return 0;
    allocation.size = call->size;
    allocation.stack = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    if (call->place && bpf_probe_read_user(&address, sizeof(address), (void *)call->place))
        address = 0;
    calls.delete(&thread);
    if (address && address != (u64)-1)
        allocations.update(&address, &allocation);
    return 0;
}

static int release(u64 address)
{
    allocations.delete(&address);
    return 0;
}
]]

-- The functions that allocate: their parameters, how many bytes they are asked for, and what they give back before.
local ALLOCATORS = {
    { "malloc", "size_t size", "size" },
    { "calloc", "size_t count, size_t size", "count * size" },
    { "realloc", "void *old, size_t size", "size", releases = "old" },
    { "reallocarray", "void *old, size_t count, size_t size", "count * size", releases = "old", optional = true },
    { "posix_memalign", "void **place, size_t alignment, size_t size", "size", place = "place" },
    { "memalign", "size_t alignment, size_t size", "size" },
    { "aligned_alloc", "size_t alignment, size_t size", "size", optional = true },
    { "valloc", "size_t size", "size", optional = true },
    { "pvalloc", "size_t size", "size", optional = true },
    { "mmap", "void *at, size_t size", "size" },
}
local RELEASERS = { "free", "munmap" }

local text = { HEAD }
for number, one in ipairs(ALLOCATORS) do
    text[#text + 1] = ([[
int enter_%s(struct pt_regs *ctx, %s)
{
    %s
    return enter(%d, %s, (u64)%s);
}
int leave_%s(struct pt_regs *ctx) { return leave(ctx, %d, PT_REGS_RC(ctx)); }
]]):format(one[1], one[2], one.releases and ("release((u64)%s);"):format(one.releases) or "", number, one[3], one.place or "0", one[1], number)
end
for _, name in ipairs(RELEASERS) do
    text[#text + 1] = ("int enter_%s(struct pt_regs *ctx, void *address) { return release((u64)address); }\n"):format(name)
end

local b = BPF({ text = table.concat(text), cflags = { "-DMIN_SIZE=" .. args.min_size } })

local function attach(one)
    b:attach_uprobe({ name = args.obj, sym = one[1], fn_name = "enter_" .. one[1], pid = args.pid })
    b:attach_uretprobe({ name = args.obj, sym = one[1], fn_name = "leave_" .. one[1], pid = args.pid })
end

for _, one in ipairs(ALLOCATORS) do
    -- Not every C library has all of them.
    if not one.optional or #BPF.get_user_functions(args.obj, one[1] .. "$") > 0 then
        attach(one)
    end
end
for _, name in ipairs(RELEASERS) do
    b:attach_uprobe({ name = args.obj, sym = name, fn_name = "enter_" .. name, pid = args.pid })
end
print(("Attached to process %d, Ctrl-C ends it"):format(args.pid))

local symbols = BPF.SymbolCache(args.pid)

local function report()
    local by_stack, list = {}, {}
    for _, allocation in b.allocations:items() do
        local found = by_stack[allocation.stack]
        if not found then
            found = { stack = allocation.stack, bytes = 0, count = 0 }
            by_stack[allocation.stack], list[#list + 1] = found, found
        end
        found.bytes, found.count = found.bytes + tonumber(allocation.size), found.count + 1
    end
    table.sort(list, function(a, b) return a.bytes > b.bytes end)
    print(("[%s] top %d stacks with outstanding allocations:"):format(BPF.strftime("%H:%M:%S"), math.min(args.top, #list)))
    for i = 1, math.min(args.top, #list) do
        print(("\t%d bytes in %d allocations from stack"):format(list[i].bytes, list[i].count))
        for address in b.stacks:walk(list[i].stack) or function() end do
            local name, offset, module = symbols:resolve(address)
            print(("\t\t%s+0x%x [%s]"):format(name, offset, (module or "unknown"):match("[^/]*$")))
        end
    end
    io.flush()
end

local reports = 0
BPF.interval(args.interval, function()
    report()
    reports = reports + 1
    if reports == args.count then
        BPF.exit()
    end
end)
io.flush()
BPF.run()
