-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "What in the kernel makes requests to disks: stacks, each with a histogram of the time that its requests took"
description = """
The stack is that of the thread that made a request; the time goes from there until the request was done, the queue
included. Stacks that spent most come last."""
parameters = [
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "milliseconds in place of microseconds" },
  { name = "disk", flags = "-d --disk", metavar = "DISK", help = "requests to this disk only" },
  { name = "duration", positional = true, type = "duration", help = "stop after this time" },
]
examples = [
  { run = "10", help = "ten seconds" },
  { run = "-d sda --flamegraph io.svg 10", help = "a flame graph of one disk's time" },
]
[outputs.stacks]
help = "Stacks with the time of their requests"
[requires]
attach = ["raw_tracepoint:block_*", "kprobe:*blk_account_io_start"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local disks = require("bpflua.tool_disks")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#define SLOTS 40

const volatile u32 only_dev = 0;
const volatile u64 unit_ns = 1000;

struct origin {
    int stack;
    u32 pid, dev;
    char comm[TASK_COMM_LEN];
};
struct record {
    u64 made;
    struct origin origin;
};
struct times {
    u64 total;
    u32 slots[SLOTS];
};

BPF_HASH(records, struct request *, struct record, 65536);
BPF_HASH(spent, struct origin, struct times, 16384);
BPF_PERCPU_ARRAY(blank, struct times, 1);
BPF_STACK_TRACE(stacks, 16384);

static __always_inline u32 disk_of(struct request *request)
{
    struct gendisk *disk;
    if (bpf_core_field_exists(request->rq_disk))
        disk = request->rq_disk;
    else
        disk = request->q->disk;
    return disk ? disk->major << 20 | disk->first_minor : 0;
}

static __always_inline int make(void *ctx, struct request *request)
{
    u32 dev = disk_of(request);
    if (only_dev && dev != only_dev)
        return 0;
    struct record record = {
        .made = bpf_ktime_get_ns(),
        .origin = { .stack = stacks.get_stackid(ctx, 0), .pid = bpf_get_current_pid_tgid() >> 32, .dev = dev },
    };
    bpf_get_current_comm(record.origin.comm, sizeof(record.origin.comm));
    records.update(&request, &record);
    return 0;
}

SEC("raw_tracepoint/block_io_start")
int BPF_PROG(on_start, struct request *request)
{
    return make(ctx, request);
}

int on_account(struct pt_regs *ctx, struct request *request)
{
    return make(ctx, request);
}

SEC("raw_tracepoint/block_rq_insert")
int BPF_PROG(on_insert, struct request *request)
{
    return make(ctx, request);
}

SEC("raw_tracepoint/block_rq_issue")
int BPF_PROG(on_issue, struct request *request)
{
    return records.lookup(&request) ? 0 : make(ctx, request);
}

SEC("raw_tracepoint/block_rq_complete")
int BPF_PROG(on_complete, struct request *request, int error, unsigned int bytes)
{
    struct record *record = records.lookup(&request);
    u32 zero = 0;
    struct times *none = blank.lookup(&zero);
    if (!record || !none || bytes < request->__data_len)   // a part of it only
        return 0;
    u64 time = (bpf_ktime_get_ns() - record->made) / unit_ns;
    struct origin origin = record->origin;
    struct times *times = spent.lookup_or_try_init(&origin, none);
    if (times) {
        u32 slot = bpf_log2l(time);
        lock_xadd(&times->total, time);
        if (slot < SLOTS)
            lock_xadd(&times->slots[slot], 1);
    }
    records.delete(&request);
    return 0;
}
]]

local b = BPF{
    text = TEXT,
    attach = false,
    constants = { only_dev = args.disk and disks.number(args.disk), unit_ns = args.milliseconds and 1e6 or 1e3 },
}
b:attach_raw_tracepoint{ tp = "block_rq_complete", fn_name = "on_complete" }
tool:attach(b, {
    { { raw_tp = "block_io_start", fn_name = "on_start" } },
    { { event = "__blk_account_io_start", fn_name = "on_account" } },
    { { event = "blk_account_io_start", fn_name = "on_account" } },
    { { raw_tp = "block_rq_insert", fn_name = "on_insert" }, { raw_tp = "block_rq_issue", fn_name = "on_issue" } },
})

local function frames(id)
    local list = {}
    if id < 0 then
        return { ("[no stack: %s]"):format(BPF.errno_name(-id)) }
    end
    for address in b.stacks:walk(id) or function() end do
        local name = BPF.ksym(address)
        if not name:find("^bpf_prog_") and not name:find("^bpf_trace_run%d") then   -- the program itself
            list[#list + 1] = name
        end
    end
    return list
end

local function gather()
    local list = {}
    for origin, times in b.spent:items() do
        local slots = {}
        for slot = 0, 39 do
            slots[slot] = times.slots[slot] > 0 and times.slots[slot] or nil
        end
        list[#list + 1] = {
            frames = frames(origin.stack),
            value = tonumber(times.total),
            comm = ("%s %s"):format(ffi.string(origin.comm), disks.name(origin.dev)),
            pid = origin.pid,
            slots = slots,
        }
    end
    return list
end

tool:say("Tracing requests to disks. Ctrl-C ends it.")
tool:run{
    duration = args.duration,
    each = function()
        tool:stacks(gather(), { unit = args.milliseconds and "msecs" or "usecs" })
    end,
}
