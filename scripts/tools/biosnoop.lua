-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Requests to disks, one by one: by whom, where, how much, how long"
parameters = [
  { name = "queue", flags = "-Q --queue", type = "flag", help = "show the time in the queue, too" },
  { name = "disk", flags = "-d --disk", metavar = "DISK", help = "requests to this disk only" },
  { name = "pattern", flags = "-P --pattern", type = "flag", help = "show whether a request goes on where the last one ended" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "elapsed", title = "TIME(s)", width = 11, type = "number", decimals = 6, unit = "s", right = false },
  { name = "comm", width = 15 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "disk", width = 9 },
  { name = "type", title = "T", width = 1 },
  { name = "sector", width = 10, type = "integer", right = false },
  { name = "bytes", width = 7, type = "integer", right = false, unit = "bytes" },
  { name = "pattern", title = "P", width = 1, when = "pattern" },
  { name = "queued", title = "QUE(ms)", width = 7, type = "number", decimals = 2, unit = "ms", when = "queue" },
  { name = "latency", title = "LAT(ms)", width = 7, type = "number", decimals = 2, unit = "ms" },
]
examples = [
  { run = "", help = "every request" },
  { run = "-Q -d sda", help = "of one disk, with the time in the queue" },
]
[requires]
attach = ["raw_tracepoint:block_*", "kprobe:*blk_account_io_start"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local disks = require("bpflua.tool_disks")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_dev = 0;

struct record {
    u64 made, issued;   // 0: not seen
    u64 sector, bytes;
    u32 pid;
    char comm[TASK_COMM_LEN];
};
struct event {
    u64 at, queued, spent, sector, bytes;
    u32 dev, pid, flags;
    u8 pattern;         // 1: where the last one ended, 2: elsewhere
    char comm[TASK_COMM_LEN];
};

BPF_HASH(records, struct request *, struct record, 65536);
BPF_HASH(ends, u32, u64, 1024);   // by disk: the sector behind the last request
BPF_PERF_OUTPUT(events);

static __always_inline u32 disk_of(struct request *request)
{
    struct gendisk *disk;
    if (bpf_core_field_exists(request->rq_disk))
        disk = request->rq_disk;
    else
        disk = request->q->disk;
    return disk ? disk->major << 20 | disk->first_minor : 0;
}

static __always_inline int make(struct request *request)
{
    if (only_dev && disk_of(request) != only_dev)
        return 0;
    struct record record = { .made = bpf_ktime_get_ns(), .pid = bpf_get_current_pid_tgid() >> 32 };
    bpf_get_current_comm(record.comm, sizeof(record.comm));
    records.update(&request, &record);
    return 0;
}

SEC("raw_tracepoint/block_io_start")
int BPF_PROG(on_start, struct request *request)
{
    return make(request);
}

int on_account(struct pt_regs *ctx, struct request *request)
{
    return make(request);
}

SEC("raw_tracepoint/block_rq_insert")
int BPF_PROG(on_insert, struct request *request)
{
    return make(request);
}

SEC("raw_tracepoint/block_rq_issue")
int BPF_PROG(on_issue, struct request *request)
{
    struct record *record = records.lookup(&request);
    if (!record) {   // one that the kernel makes for itself, such as a flush
        make(request);
        record = records.lookup(&request);
        if (!record)
            return 0;
    }
    record->issued = bpf_ktime_get_ns();
    record->sector = request->__sector;
    record->bytes = request->__data_len;
    return 0;
}

SEC("raw_tracepoint/block_rq_complete")
int BPF_PROG(on_complete, struct request *request, int error, unsigned int bytes)
{
    struct record *record = records.lookup(&request);
    if (!record || bytes < request->__data_len)   // a part of it only
        return 0;
    struct event event = { .at = bpf_ktime_get_ns(), .dev = disk_of(request), .flags = request->cmd_flags };
    if (record->issued) {
        event.spent = event.at - record->issued;
        event.queued = record->issued - record->made;
        event.sector = record->sector;
        event.bytes = record->bytes;
        event.pid = record->pid;
        __builtin_memcpy(event.comm, record->comm, sizeof(event.comm));
        u64 *last = ends.lookup(&event.dev);
        event.pattern = !last ? 0 : *last == event.sector ? 1 : 2;
        u64 end = event.sector + event.bytes / 512;
        ends.update(&event.dev, &end);
        events.perf_submit(ctx, &event, sizeof(event));
    }
    records.delete(&request);
    return 0;
}
]]

local b = BPF{ text = TEXT, attach = false, constants = { only_dev = args.disk and disks.number(args.disk) } }
b:attach_raw_tracepoint{ tp = "block_rq_complete", fn_name = "on_complete" }
b:attach_raw_tracepoint{ tp = "block_rq_issue", fn_name = "on_issue" }
tool:attach(b, {
    { { raw_tp = "block_io_start", fn_name = "on_start" } },
    { { event = "__blk_account_io_start", fn_name = "on_account" } },
    { { event = "blk_account_io_start", fn_name = "on_account" } },
    { { raw_tp = "block_rq_insert", fn_name = "on_insert" } },
})

local PATTERNS = { [0] = "?", "S", "R" }
local start
b.events:open_perf_buffer(function(_, event)
    start = start or event.at
    tool:print{
        elapsed = tonumber(event.at - start) / 1e9,
        comm = ffi.string(event.comm),
        pid = event.pid,
        disk = disks.name(event.dev),
        type = disks.letter(event.flags),
        sector = event.sector,
        bytes = event.bytes,
        pattern = PATTERNS[event.pattern],
        queued = tonumber(event.queued) / 1e6,
        latency = tonumber(event.spent) / 1e6,
    }
end, { page_cnt = 64 })

tool:header()
tool:run{ duration = args.duration }
