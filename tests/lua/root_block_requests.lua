-- SPDX-License-Identifier: Apache-2.0
-- How long requests to a disk take: from one function of the kernel to another, by the address of the request, in an array
-- with three places for each doubling.

local t = require("harness")
local kprobes = require("help.kprobes")
local modules = require("help.modules")
local programs = require("help.programs")

local SLOTS, PER_DOUBLING, BYTES = 99, 3, 1024 * 1024

local TEXT = [[
struct request_key { u64 address; };
struct started { u64 ns; };
BPF_HASH(requests, struct request_key, struct started, 1024);
BPF_ARRAY(latency, u64, SLOTS);
BPF_ARRAY(totals, u64, 3);

static u32 log_of(u32 v)
{
    u32 r, shift;

    r = (v > 0xFFFF) << 4; v >>= r;
    shift = (v > 0xFF) << 3; v >>= shift; r |= shift;
    shift = (v > 0xF) << 2; v >>= shift; r |= shift;
    shift = (v > 0x3) << 1; v >>= shift; r |= shift;
    return r | (v >> 1);
}

static u32 log_of_long(u64 v)
{
    u32 high = v >> 32;

    return high ? log_of(high) + 32 : log_of(v);
}

int started(struct pt_regs *ctx)
{
    struct request_key key = { .address = PT_REGS_PARM1(ctx) };
    struct started now = { .ns = bpf_ktime_get_ns() };

    requests.update(&key, &now);
    return 0;
}

int done(struct pt_regs *ctx, struct request *request, int error, unsigned int bytes)
{
    struct request_key key = { .address = PT_REGS_PARM1(ctx) };
    struct started *since = requests.lookup(&key);
    u64 spent, log, base;
    u32 index;

    if (!since)
        return 0;
    spent = bpf_ktime_get_ns() - since->ns;
    requests.delete(&key);
    log = log_of_long(spent);
    base = 1ULL << log;
    index = (log * 64 + (spent - base) * 64 / base) * PER_DOUBLING / 64;
    if (index >= SLOTS)
        index = SLOTS - 1;
    u64 zero = 0, *count = latency.lookup_or_try_init(&index, &zero);
    if (count)
        lock_xadd(count, 1);
    totals.atomic_increment(0);
    totals.atomic_increment(1, spent);
    totals.atomic_increment(2, bytes);
    return 0;
}
]]

local function disk_of(file)
    modules.load("loop")
    programs.run(("dd if=/dev/zero of=%s bs=1M count=2"):format(file))
    return programs.run(("losetup -f --show %s 2>/dev/null || { busybox losetup /dev/loop0 %s && echo /dev/loop0; }"):format(file, file)):match("%S+")
end

-- The least time of a place, in nanoseconds.
local function least(index)
    local whole = math.floor(index / PER_DOUBLING)
    return 2 ^ whole * (1 + index % PER_DOUBLING / PER_DOUBLING)
end

t.test_unless(kprobes.lacking, "requests of a disk, by the time that they took", function()
    programs.in_folder(function(folder)
        local disk = disk_of(folder .. "/disk")
        local b = BPF({ text = TEXT, cflags = { "-DSLOTS=" .. SLOTS, "-DPER_DOUBLING=" .. PER_DOUBLING } })
        b:attach_kprobe({ event = "blk_mq_start_request", fn_name = "started" })
        b:attach_kprobe({ event = "blk_update_request", fn_name = "done" })
        programs.run(("dd if=/dev/zero of=%s bs=64k count=%d conv=fsync"):format(disk, BYTES / 65536))
        programs.run(("losetup -d %s || busybox losetup -d %s"):format(disk, disk))
        local count, low, high = 0, 0, 0
        for index, requests in b.latency:items() do
            count = count + tonumber(requests)
            low, high = low + tonumber(requests) * least(index), high + tonumber(requests) * least(index + 1)
        end
        t.equal(count, tonumber(b.totals[0]))
        t.equal(count >= 1, true)
        t.equal(tonumber(b.totals[2]) >= BYTES, true)
        -- Places are rounded down to whole numbers of 64ths.
        local spent = tonumber(b.totals[1])
        t.equal(low * 0.95 <= spent and spent <= high * 1.05, true)
        t.equal(#b.latency, SLOTS)
        b:cleanup()
    end)
end)
