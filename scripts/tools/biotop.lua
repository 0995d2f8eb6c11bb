-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Which processes use the disks most, as a table that is drawn anew"
parameters = [
  { name = "noclear", flags = "-C --noclear", type = "flag", help = "leave what is on the screen" },
  { name = "maxrows", flags = "-r --maxrows", type = "integer", range = [1, 100000], default = 20, help = "rows at most" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "interval", positional = true, type = "duration", default = 1, help = "seconds between two reports" },
  { name = "count", positional = true, type = "integer", range = [1, 4294967295], help = "reports" },
]
columns = [
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "type", title = "D", width = 1 },
  { name = "major", title = "MAJ", width = 3, type = "integer", right = false },
  { name = "minor", title = "MIN", width = 3, type = "integer", right = false },
  { name = "disk", width = 8 },
  { name = "requests", title = "I/O", width = 5, type = "integer" },
  { name = "kbytes", title = "Kbytes", width = 8, type = "number", decimals = 0, unit = "KiB" },
  { name = "average", title = "AVGms", width = 7, type = "number", decimals = 2, unit = "ms" },
]
examples = [
  { run = "", help = "every second" },
  { run = "-C 5 10", help = "ten reports of five seconds, one below the other" },
]
[requires]
attach = ["raw_tracepoint:block_*", "kprobe:*blk_account_io_start"]
lua = ["ffi", "io.open"]
]==]

local ffi = require("ffi")
local disks = require("bpflua.tool_disks")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_pid = 0;

struct record {
    u64 issued, bytes;
    u32 pid;
    char comm[TASK_COMM_LEN];
};
struct who {
    u32 pid, dev, op;
    char comm[TASK_COMM_LEN];
};
struct sum {
    u64 requests, bytes, ns;
};

BPF_HASH(records, struct request *, struct record, 65536);
BPF_HASH(sums, struct who, struct sum, 16384);

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
    struct record record = { .pid = bpf_get_current_pid_tgid() >> 32 };
    if (only_pid && record.pid != only_pid)
        return 0;
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
    if (!record && !only_pid) {   // one that the kernel makes for itself, such as a flush
        make(request);
        record = records.lookup(&request);
    }
    if (!record)
        return 0;
    record->issued = bpf_ktime_get_ns();
    record->bytes = request->__data_len;
    return 0;
}

SEC("raw_tracepoint/block_rq_complete")
int BPF_PROG(on_complete, struct request *request, int error, unsigned int bytes)
{
    struct record *record = records.lookup(&request);
    if (!record || bytes < request->__data_len)   // a part of it only
        return 0;
    if (record->issued) {
        struct who who = { .pid = record->pid, .dev = disk_of(request), .op = request->cmd_flags & 0xff };
        __builtin_memcpy(who.comm, record->comm, sizeof(who.comm));
        struct sum zero = {}, *sum = sums.lookup_or_try_init(&who, &zero);
        if (sum) {
            lock_xadd(&sum->requests, 1);
            lock_xadd(&sum->bytes, record->bytes);
            lock_xadd(&sum->ns, bpf_ktime_get_ns() - record->issued);
        }
    }
    records.delete(&request);
    return 0;
}
]]

local b = BPF{ text = TEXT, attach = false, constants = { only_pid = args.pid } }
b:attach_raw_tracepoint{ tp = "block_rq_complete", fn_name = "on_complete" }
b:attach_raw_tracepoint{ tp = "block_rq_issue", fn_name = "on_issue" }
tool:attach(b, {
    { { raw_tp = "block_io_start", fn_name = "on_start" } },
    { { event = "__blk_account_io_start", fn_name = "on_account" } },
    { { event = "blk_account_io_start", fn_name = "on_account" } },
    { { raw_tp = "block_rq_insert", fn_name = "on_insert" } },
})

local function rows()
    local list = {}
    for who, sum in b.sums:drain() do
        local major, minor = disks.split(who.dev)
        local requests = tonumber(sum.requests)
        list[#list + 1] = {
            pid = who.pid,
            comm = ffi.string(who.comm),
            type = disks.letter(who.op),
            major = major,
            minor = minor,
            disk = disks.name(who.dev),
            requests = requests,
            kbytes = tonumber(sum.bytes) / 1024,
            average = tonumber(sum.ns) / 1e6 / requests,
        }
    end
    table.sort(list, function(one, other)
        return one.kbytes > other.kbytes
    end)
    for i = #list, args.maxrows + 1, -1 do
        list[i] = nil
    end
    return list
end

local function load_average()
    local file = io.open("/proc/loadavg")
    local line = file and file:read("*l") or ""
    if file then
        file:close()
    end
    return ("%s loadavg: %s"):format(os.date("%H:%M:%S"), line)
end

tool:say(("Tracing requests to disks. A report every %g s. Ctrl-C ends it."):format(args.interval))
tool:run{
    interval = args.interval,
    count = args.count,
    each = function()
        tool:view(rows(), { title = load_average(), keep = args.noclear })
    end,
}
