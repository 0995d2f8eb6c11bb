-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long requests to disks take, as a histogram"
description = """
The time from when a request was handed to the device until it was done; with -Q from when it was made,
so that the time in the queue counts as well."""
parameters = [
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "queued", flags = "-Q --queued", type = "flag", help = "count the time in the queue, too" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "milliseconds in place of microseconds" },
  { name = "disks", flags = "-D --disks", type = "flag", help = "a histogram for each disk" },
  { name = "flags", flags = "-F --flags", type = "flag", help = "a histogram for each set of flags of a request" },
  { name = "json", flags = "-j --json", type = "flag", help = "print JSON, an object a line" },
  { name = "extension", flags = "-e --extension", type = "flag", help = "show average, total and count" },
  { name = "disk", flags = "-d --disk", metavar = "DISK", help = "requests to this disk only" },
  { name = "interval", positional = true, type = "duration", help = "seconds between two reports" },
  { name = "count", positional = true, type = "integer", range = [1, 4294967295], help = "reports" },
]
examples = [
  { run = "", help = "one histogram, when Ctrl-C is pressed" },
  { run = "-D 1 10", help = "each disk apart, ten reports of a second" },
  { run = "-mQ -d sda", help = "of one disk in milliseconds, with the time in the queue" },
]
[outputs.summary]
help = "With -e: all requests of an interval together"
columns = [
  { name = "average", type = "number", decimals = 1 },
  { name = "total", width = 12, type = "number", decimals = 0 },
  { name = "count", width = 8, type = "integer" },
  { name = "unit", width = 5 },
]
[requires]
attach = ["raw_tracepoint:block_*", "kprobe:*blk_account_io_start"]
]==]

local disks = require("bpflua.tool_disks")
local tool = BPF.tool()
local args = tool.args

if args.flags and args.disks then
    tool:fail("cannot tell disks and flags apart at once", "-D and -F exclude each other")
end

local TEXT = [[
const volatile u32 only_dev = 0;
const volatile bool by_disk = false, by_flags = false, queued = false;
const volatile u64 unit_ns = 1000;

struct key {
    u64 section;   // a disk's number or a request's flags
    u64 slot;
};

BPF_HASH(started, struct request *, u64, 65536);
BPF_HISTOGRAM(latency);
BPF_HISTOGRAM(latency_by, struct key, 16384);
BPF_ARRAY(sums, u64, 2);  // nanoseconds, requests

static __always_inline u32 disk_of(struct request *request)
{
    struct gendisk *disk;
    if (bpf_core_field_exists(request->rq_disk))
        disk = request->rq_disk;
    else
        disk = request->q->disk;
    return disk ? disk->major << 20 | disk->first_minor : 0;
}

static __always_inline int begin(struct request *request)
{
    if (only_dev && disk_of(request) != only_dev)
        return 0;
    u64 now = bpf_ktime_get_ns();
    started.update(&request, &now);
    return 0;
}

SEC("raw_tracepoint/block_io_start")
int BPF_PROG(on_start, struct request *request)
{
    return begin(request);
}

int on_account(struct pt_regs *ctx, struct request *request)
{
    return begin(request);
}

// A request that goes to the device at once is not inserted.
SEC("raw_tracepoint/block_rq_insert")
int BPF_PROG(on_insert, struct request *request)
{
    return begin(request);
}

SEC("raw_tracepoint/block_rq_issue")
int BPF_PROG(on_issue, struct request *request)
{
    return queued && started.lookup(&request) ? 0 : begin(request);
}

SEC("raw_tracepoint/block_rq_complete")
int BPF_PROG(on_complete, struct request *request, int error, unsigned int bytes)
{
    u64 *since = started.lookup(&request);
    if (!since || bytes < request->__data_len) // a part of it only
        return 0;
    u64 spent = bpf_ktime_get_ns() - *since;
    started.delete(&request);
    sums.atomic_increment(0, spent);
    sums.atomic_increment(1);
    u64 slot = bpf_log2l(spent / unit_ns);
    if (by_disk || by_flags) {
        struct key key = { by_disk ? disk_of(request) : request->cmd_flags, slot };
        latency_by.atomic_increment(key);
    } else {
        latency.atomic_increment(slot);
    }
    return 0;
}
]]

local b = BPF{
    text = TEXT,
    attach = false,
    constants = {
        only_dev = args.disk and disks.number(args.disk), by_disk = args.disks, by_flags = args.flags,
        queued = args.queued, unit_ns = args.milliseconds and 1e6 or 1e3,
    },
}
b:attach_raw_tracepoint{ tp = "block_rq_complete", fn_name = "on_complete" }
local issue = { raw_tp = "block_rq_issue", fn_name = "on_issue" }
if args.queued then
    tool:attach(b, {
        { { raw_tp = "block_io_start", fn_name = "on_start" } },
        { { event = "__blk_account_io_start", fn_name = "on_account" } },
        { { event = "blk_account_io_start", fn_name = "on_account" } },
        { { raw_tp = "block_rq_insert", fn_name = "on_insert" }, issue },
    })
else
    tool:attach(b, { { issue } })
end

local unit = args.milliseconds and "msecs" or "usecs"
local section = args.disks and "disk" or args.flags and "flags" or nil
local section_fn = args.disks and disks.name or args.flags and disks.flags or nil

local function summary()
    local ns, count = tonumber(b.sums[0]), tonumber(b.sums[1])
    if count > 0 then
        local total = ns / (args.milliseconds and 1e6 or 1e3)
        tool.out.summary:print{ average = total / count, total = total, count = count, unit = unit }
    end
    b.sums:zero()
end

tool:say("Tracing requests to disks. Ctrl-C ends it.")
tool:run{
    interval = args.interval,
    count = args.count,
    each = function()
        if args.timestamp then
            tool:say(os.date("%H:%M:%S"))
        end
        tool:hist(section and b.latency_by or b.latency, { unit = unit, section = section, section_fn = section_fn, clear = true })
        if args.extension then
            summary()
        end
    end,
}
