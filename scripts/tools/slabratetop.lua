-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Which of the kernel's caches of objects allocate most"
description = """
Allocations from the caches that /proc/slabinfo lists, by cache. Those of kmalloc are not among them."""
parameters = [
  { name = "interval", positional = true, type = "duration", range = [0.01, 1e9], default = 1, help = "seconds between two tables" },
  { name = "count", positional = true, type = "integer", range = [1, 1e9], help = "tables before it ends" },
  { name = "noclear", flags = "-C --noclear", type = "flag", help = "leave what is on the screen" },
  { name = "maxrows", flags = "-r --maxrows", type = "integer", range = [1, 100000], default = 20, help = "caches shown at most" },
]
columns = [
  { name = "cache", width = 32 },
  { name = "allocs", width = 9, type = "integer" },
  { name = "bytes", width = 12, type = "integer", unit = "bytes" },
]
examples = [
  { run = "", help = "a table every second" },
  { run = "-C 5 12", help = "a minute, one below the other" },
]
[requires]
attach = ["raw_tracepoint:kmem_cache_alloc"]
lua = ["ffi", "io.open"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/mm.h>
#include <linux/slab.h>

struct cache { char name[32]; };
struct count { u64 allocs, bytes; };
BPF_HASH(counts, struct cache, struct count, 4096);

RAW_TRACEPOINT_PROBE(kmem_cache_alloc)
{
    struct kmem_cache *from = (struct kmem_cache *)ctx->args[2];
    struct cache cache = {};
    struct count none = {};
    if (!ctx->args[1]) // in vain
        return 0;
    bpf_probe_read_kernel_str(cache.name, sizeof(cache.name), from->name);
    struct count *count = counts.lookup_or_try_init(&cache, &none);
    if (count) {
        lock_xadd(&count->allocs, 1);
        lock_xadd(&count->bytes, from->size);
    }
    return 0;
}
]]

-- Kernels before 5.19 do not tell the cache.
if BPF.kernel_struct_has_field("trace_event_raw_kmem_cache_alloc", "accounted") ~= 1 then
    tool:fail("cannot tell the caches apart", "the tracepoint kmem:kmem_cache_alloc of this kernel does not say which cache it is")
end
local b = BPF{ text = TEXT }

local function load_average()
    local file = io.open("/proc/loadavg")
    local text = file and file:read("*l") or "unknown"
    if file then
        file:close()
    end
    return text
end

local function print_table()
    local rows = {}
    for cache, count in b.counts:drain() do
        rows[#rows + 1] = { cache = ffi.string(cache.name), allocs = tonumber(count.allocs), bytes = tonumber(count.bytes) }
    end
    table.sort(rows, function(x, y)
        return x.bytes > y.bytes
    end)
    for i = #rows, args.maxrows + 1, -1 do
        rows[i] = nil
    end
    tool:view(rows, { title = ("%s loadavg: %s\n"):format(os.date("%H:%M:%S"), load_average()), keep = args.noclear })
end

tool:say(("Tracing allocations from caches... a table every %g s, Ctrl-C ends it"):format(args.interval))
tool:run({ interval = args.interval, count = args.count, each = print_table })
