-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Allocations and releases, of a process and of the kernel: the programs of `memleak`, and where they are attached.

local M = {}

M.TEXT = [[
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

local FUNCTIONS = {
    "malloc", "calloc", "realloc", "reallocarray", "posix_memalign", "memalign", "aligned_alloc", "valloc", "pvalloc", "mmap", "free", "munmap",
}

---Attaches to those functions of an allocator that it has.
---@param tool Tool
---@param b BPF
---@param of {pid: integer, file: string, prefix: string} the library or program, and what its functions' names begin with
function M.attach_process(tool, b, of)
    for _, name in ipairs(FUNCTIONS) do
        local sym, is_release = of.prefix .. name, name == "free" or name == "munmap"
        -- Not every allocator has all of them.
        if #BPF.get_user_functions(of.file, sym .. "$") > 0 then
            b:attach_uprobe({ name = of.file, sym = sym, fn_name = "enter_" .. name, pid = of.pid })
            if not is_release then
                b:attach_uretprobe({ name = of.file, sym = sym, fn_name = "leave_" .. name, pid = of.pid })
            end
        elseif name == "malloc" or name == "free" then
            tool:fail(("cannot look at the allocator of `%s`"):format(of.file), ("it has no function `%s`"):format(sym))
        end
    end
end

---Attaches to the kernel's allocators.
---@param b BPF
---@param percpu boolean to those of memory for each CPU
function M.attach_kernel(b, percpu)
    local group = percpu and { percpu = { "percpu_alloc_percpu", "percpu_free_percpu" } }
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

return M
