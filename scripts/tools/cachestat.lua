-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Hits and misses of the page cache each second"
description = """
A miss is a page that was brought into the cache other than by being written; a hit is an access to one that was there. Reading ahead is a miss
when it happens, and makes hits of the accesses that follow."""
parameters = [
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "interval", type = "duration", positional = true, default = "1", help = "time between two lines" },
  { name = "count", type = "integer", positional = true, range = [1, 1000000000], help = "number of lines" },
]
columns = [
  { name = "time", width = 8, when = "timestamp" },
  { name = "hits", width = 8, type = "integer" },
  { name = "misses", width = 8, type = "integer" },
  { name = "dirties", width = 8, type = "integer" },
  { name = "ratio", title = "HITRATIO", width = 8, type = "number", decimals = 2, unit = "%" },
  { name = "buffers", title = "BUFFERS_MB", width = 11, type = "number", decimals = 0, unit = "MiB" },
  { name = "cached", title = "CACHED_MB", width = 10, type = "number", decimals = 0, unit = "MiB" },
]
examples = [
  { run = "", help = "a line each second" },
  { run = "-T 5 12", help = "a minute, in lines of five seconds, with the time" },
]
[requires]
attach = ["raw_tracepoint:mm_filemap_*", "raw_tracepoint:writeback_dirty_*", "kprobe:folio_mark_accessed", "kprobe:mark_page_accessed"]
lua = ["io.lines"]
]==]

local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/mm.h>
#include <linux/sched.h>

enum { ACCESSES, ADDED, WRITTEN_NEW, DIRTIED, KINDS };

struct span {
    u64 mapping, first, last;
};

BPF_PERCPU_ARRAY(counts, u64, KINDS);
// What each thread did last: threads that are gone make room.
BPF_TABLE("lru_hash", u64, u64, added, 16384);
BPF_TABLE("lru_hash", u64, struct span, spans, 16384);

int on_accessed(void *ctx)
{
    counts.increment(ACCESSES);
    return 0;
}

// A read of many pages comes here several times: for all of them, then for those that are left, to the same end.
int on_get_pages(struct bpf_raw_tracepoint_args *ctx)
{
    u64 thread = bpf_get_current_pid_tgid();
    struct span span = { ctx->args[0], ctx->args[1], ctx->args[2] };
    struct span *last = spans.lookup(&thread);

    if (!(last && last->mapping == span.mapping && last->last == span.last && last->first < span.first))
        counts.increment(ACCESSES, span.last - span.first + 1);
    spans.update(&thread, &span);
    return 0;
}

int on_add(struct bpf_raw_tracepoint_args *ctx)
{
    u64 thread = bpf_get_current_pid_tgid(), folio = ctx->args[0];

    counts.increment(ADDED);
    added.update(&thread, &folio);
    return 0;
}

// What a thread adds and then makes dirty is new by being written: no miss.
int on_dirty(struct bpf_raw_tracepoint_args *ctx)
{
    u64 thread = bpf_get_current_pid_tgid();
    u64 *folio = added.lookup(&thread);

    counts.increment(DIRTIED);
    if (folio && *folio == ctx->args[0]) {
        counts.increment(WRITTEN_NEW);
        added.delete(&thread);
    }
    return 0;
}
]]

local b = BPF{ text = TEXT, attach = false }
tool:attach(b, {
    { { raw_tp = "mm_filemap_get_pages", fn_name = "on_get_pages" }, { raw_tp = "mm_filemap_fault", fn_name = "on_accessed" } },
    { { event = "folio_mark_accessed", fn_name = "on_accessed" } },
    { { event = "mark_page_accessed", fn_name = "on_accessed" } },
})
tool:attach(b, { { { raw_tp = "mm_filemap_add_to_page_cache", fn_name = "on_add" } } })
tool:attach(b, {
    { { raw_tp = "writeback_dirty_folio", fn_name = "on_dirty" } },
    { { raw_tp = "writeback_dirty_page", fn_name = "on_dirty" } },
})

-- MiB of a line of /proc/meminfo.
local function meminfo(name)
    for line in io.lines("/proc/meminfo") do
        local kib = line:match("^" .. name .. ":%s*(%d+)")
        if kib then
            return tonumber(kib) / 1024
        end
    end
end

local last = { 0, 0, 0, 0 }

local function line()
    local now, since = {}, {}
    for i = 1, 4 do
        now[i] = tonumber(b.counts:sum(i - 1))
        since[i] = now[i] - last[i]
    end
    last = now
    local accesses, added, written, dirtied = unpack(since)
    local misses = math.max(0, added - written)
    local hits = math.max(0, accesses - misses)
    tool:print({
        time = os.date("%H:%M:%S"),
        hits = hits,
        misses = misses,
        dirties = dirtied,
        ratio = hits + misses > 0 and hits / (hits + misses) * 100 or 0,
        buffers = meminfo("Buffers"),
        cached = meminfo("Cached"),
    })
end

tool:header()
tool:run({ interval = args.interval, count = args.count, each = line })
