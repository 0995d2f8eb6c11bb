-- SPDX-License-Identifier: Apache-2.0
-- Histograms that a program counts, as they are printed: numbers, sections by an address, by a name, by a struct.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void); long syscall(long number, ...);")
local GETPGID = 121

-- `body` runs at each getpgid of this process, with its argument in `value`.
local function on_getpgid(maps, body)
    return BPF({ text = ([[
%s
RAW_TRACEPOINT_PROBE(sys_enter)
{
    if (bpf_get_current_pid_tgid() >> 32 != %d || ctx->args[1] != %d)
        return 0;
    u64 value = PT_REGS_PARM1((struct pt_regs *)ctx->args[0]);
    %s
    return 0;
}
]]):format(maps, ffi.C.getpid(), GETPGID, body) })
end

local function call(value)
    ffi.C.syscall(GETPGID, ffi.cast("uint64_t", value))
end

local function printed(map, ...)
    local pieces, real = {}, io.write
    io.write = function(text)
        pieces[#pieces + 1] = text
        return true
    end
    local ok, err = pcall(map.print_log2_hist, map, ...)
    io.write = real
    assert(ok, err)
    return table.concat(pieces)
end

-- The rows of a histogram: the least value of each, and its count.
local function rows(text)
    local found = {}
    for low, count in text:gmatch("\n *(%d+) %-> %d+ *: (%d+) ") do
        found[#found + 1] = ("%s:%s"):format(low, count)
    end
    return table.concat(found, " ")
end

t.test("numbers, narrow and wide", function()
    local b = on_getpgid("BPF_HISTOGRAM(sizes);", [[
    sizes.increment(bpf_log2l(value));
    sizes.atomic_increment(bpf_log2l(value));]])
    local wanted, narrow = { "0:2" }, ""
    call(1)
    for power = 1, 62 do
        for _ = 1, power % 3 + 1 do
            call(bit.lshift(1ULL, power))
        end
        wanted[#wanted + 1] = ("%s:%d"):format(tostring(bit.lshift(1ULL, power)):match("%d+"), 2 * (power % 3 + 1))
        if power == 31 then
            local text = printed(b.sizes)
            t.equal(text:match("^[^\n]*"), "     value               : count     distribution")
            t.equal(rows(text), table.concat(wanted, " "))
            narrow = text
        end
    end
    -- The map has 64 slots, the last for values below 2^63.
    call(bit.lshift(1ULL, 63))
    t.equal(b.sizes:lost(), 2)
    local wide = printed(b.sizes)
    t.equal(wide:match("^[^\n]*"), (" "):rep(15) .. "value" .. (" "):rep(24) .. " : count     distribution")
    t.equal(rows(wide), table.concat(wanted, " "))
    -- More than 32 rows have wider numbers and shorter bars.
    t.equal(#narrow:match("|(.-)|"), 40)
    t.equal(#wide:match("|(.-)|"), 20)
    b:cleanup()
end)

local HEADER = "     value               : count     distribution\n"

t.test("sections by an address", function()
    local b = on_getpgid([[
typedef struct { void *map; u64 slot; } section_t;
BPF_HISTOGRAM(sizes, section_t, 1024);]], [[
    void *map = value & 1 ? (void *)0x1000 : (void *)0x2000;
    sizes.increment((section_t){map, bpf_log2l(value)});
    sizes.atomic_increment((section_t){map, bpf_log2l(value)});]])
    for _, value in ipairs({ 4, 5, 4, 5, 5, 9 }) do
        call(value)
    end
    local text = printed(b.sizes, { bucket_sort_fn = function(buckets) table.sort(buckets) return buckets end, strip_leading_zero = true })
    t.equal(text, "\nBucket ptr = 4096\n" .. HEADER
        .. "         4 -> 7          : 6        |****************************************|\n"
        .. "         8 -> 15         : 2        |*************                           |\n"
        .. "\nBucket ptr = 8192\n" .. HEADER
        .. "         4 -> 7          : 4        |****************************************|\n")
    b:cleanup()
end)

t.test("sections by the name of a task", function()
    local b = BPF({ text = [[
typedef struct { char name[TASK_COMM_LEN]; u64 slot; } section_t;
BPF_HISTOGRAM(ages, section_t, 1024);
RAW_TRACEPOINT_PROBE(sched_switch)
{
    struct task_struct *left = (struct task_struct *)ctx->args[1];
    section_t section = { .slot = bpf_log2l(left->start_boottime) };

    if (bpf_get_current_comm(&section.name, sizeof(section.name)))
        return 0;
    ages.increment(section);
    ages.atomic_increment(section);
    return 0;
}
]] })
    for _ = 1, 20 do
        BPF.sleep(0.01)
    end
    b:detach_raw_tracepoint({ tp = "sched_switch" })
    local text = printed(b.ages, "ns", "comm")
    local mine = text:match("\ncomm = bpflua\n(.-|\n)%f[\n%z]") or text:match("\ncomm = bpflua\n(.*)")
    -- Since the machine's start, in hundredths of a second: there may be other tasks of this name.
    local stat = io.open("/proc/self/stat"):read("*a"):gsub("^%d+ %b() ", "")
    local start = tonumber(stat:match("^" .. ("%S+ "):rep(19) .. "(%d+)")) * 1e7
    local low = 2 ^ math.floor(math.log(start + 5e6) / math.log(2))
    local count = tonumber(mine:match(("\n *%.0f %%-> %%d+ *: (%%d+) "):format(low)))
    t.equal(count ~= nil and count >= 2 and count % 2 == 0, true)
    b:cleanup()
end)

t.test("sections by a struct, with words of one's own", function()
    local b = on_getpgid([[
struct pair { u64 one, two; };
struct section { struct pair pair; u64 slot; };
BPF_HISTOGRAM(sizes, struct section, 1024);]], [[
    struct section section = { .slot = bpf_log2l(value >> 8) };
    section.pair.one = value & 0x70;
    section.pair.two = value & 7;
    sizes.increment(section);]])
    for _, value in ipairs({ 0x0473, 0x0473, 0x0512, 0x0400 }) do
        call(value)
    end
    local text = printed(b.sizes, "size", "one & two", function(bucket) return ("%3d %d"):format(bucket[1], bucket[2]) end,
        function(bucket) return { tonumber(bucket.one), tonumber(bucket.two) } end, true, function(buckets)
            table.sort(buckets, function(a, b) return a[1] < b[1] end)
            return buckets
        end)
    local row = "     size                : count     distribution\n         4 -> 7          : %d        |****************************************|\n"
    t.equal(text, "\none & two =   0 0\n" .. row:format(1) .. "\none & two =  16 2\n" .. row:format(1) .. "\none & two = 112 3\n" .. row:format(2))
    b:cleanup()
end)
