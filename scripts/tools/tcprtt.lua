-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "The round trip times of TCP connections, as a histogram"
description = """
For each packet that an established connection receives, the smoothed round trip time that the kernel has measured for it."""
parameters = [
  { name = "interval", flags = "-i --interval", type = "duration", help = "seconds between two reports" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "timestamp", flags = "-T --timestamp", type = "flag", help = "show the time of day" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "milliseconds in place of microseconds" },
  { name = "lport", flags = "-p --lport", metavar = "PORTS", help = "these local ports only (80,443)" },
  { name = "rport", flags = "-P --rport", metavar = "PORTS", help = "these remote ports only" },
  { name = "laddr", flags = "-a --laddr", metavar = "ADDRESS", help = "this local address only" },
  { name = "raddr", flags = "-A --raddr", metavar = "ADDRESS", help = "this remote address only" },
  { name = "byladdr", flags = "-b --byladdr", type = "flag", help = "a histogram for each local address" },
  { name = "byraddr", flags = "-B --byraddr", type = "flag", help = "a histogram for each remote address" },
  { name = "extension", flags = "-e --extension", type = "flag", help = "show the average" },
  { name = "debug", flags = "-D --debug", type = "flag", help = "print the C text first" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
]
examples = [
  { run = "-i 1 -d 10", help = "every second for ten" },
  { run = "-P 443 -B -e", help = "of each server, with the average" },
]
[outputs.summary]
help = "With -e: the average, of each address with -b and -B"
columns = [
  { name = "address", width = 26 },
  { name = "average", width = 10, type = "number", decimals = 1 },
  { name = "count", width = 8, type = "integer" },
  { name = "unit", width = 5 },
]
[requires]
attach = ["raw_tracepoint:tcp_probe", "kprobe:tcp_rcv_established"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

if args.byladdr and args.byraddr then
    tool:fail("cannot tell local and remote addresses apart at once", "-b and -B exclude each other")
end

local TEXT = [[
const volatile bool by_local = false, by_remote = false, with_local = false, with_remote = false;
const volatile u8 only_local[16] = {}, only_remote[16] = {};
const volatile u32 unit_us = 1;

struct place {
    u8 address[16];
    u64 family;      // 0: all addresses together
};
struct key {
    struct place place;
    u64 slot;
};
struct sum {
    u64 us, count;
};

BPF_HISTOGRAM(times, struct key, 65536);
BPF_HASH(sums, struct place, struct sum, 4096);

static __always_inline bool is_same(const u8 *address, const volatile u8 *wanted)
{
    for (int i = 0; i < 16; i++)
        if (address[i] != wanted[i])
            return false;
    return true;
}

static __always_inline int measure(struct sock *sk)
{
    struct tcp_tuple tuple;
    if (!tcp_tuple_of(sk, &tuple) || !tcp_tuple_is_wanted(&tuple))
        return 0;
    if ((with_local && !is_same(tuple.saddr, only_local)) || (with_remote && !is_same(tuple.daddr, only_remote)))
        return 0;
    u32 us = ((struct tcp_sock *)sk)->srtt_us >> 3;
    struct key key = { .slot = bpf_log2l(us / unit_us) };
    if (by_local || by_remote) {
        key.place.family = tuple.family;
        __builtin_memcpy(key.place.address, by_local ? tuple.saddr : tuple.daddr, 16);
    }
    times.atomic_increment(key);
    struct sum zero = {}, *sum = sums.lookup_or_try_init(&key.place, &zero);
    if (sum) {
        lock_xadd(&sum->us, us);
        lock_xadd(&sum->count, 1);
    }
    return 0;
}

SEC("raw_tracepoint/tcp_probe")
int BPF_PROG(on_packet, struct sock *sk)
{
    return measure(sk);
}

int on_established(struct pt_regs *ctx, struct sock *sk)
{
    return measure(sk);
}
]]

-- The 16 bytes of an address that was typed.
local function bytes_of(flag, text)
    local bytes = BPF.inet_pton("inet", text) or BPF.inet_pton("inet6", text)
    if not bytes then
        tool:fail(("`%s` of %s is no address"):format(text, flag))
    end
    return { (bytes .. ("\0"):rep(16 - #bytes)):byte(1, -1) }
end

local constants = sockets.constants(args, { lports = args.lport, dports = args.rport, lflag = "--lport", dflag = "--rport" })
constants.by_local, constants.by_remote = args.byladdr, args.byraddr
constants.unit_us = args.milliseconds and 1000 or 1
constants.with_local, constants.with_remote = args.laddr ~= nil, args.raddr ~= nil
constants.only_local = args.laddr and bytes_of("--laddr", args.laddr)
constants.only_remote = args.raddr and bytes_of("--raddr", args.raddr)
if args.debug then
    io.stderr:write(TEXT, "\n")
end
local b = BPF{ text = sockets.text(TEXT), attach = false, constants = constants }
tool:attach(b, {
    { { raw_tp = "tcp_probe", fn_name = "on_packet" } },
    { { event = "tcp_rcv_established", fn_name = "on_established" } },
})

local unit = args.milliseconds and "msecs" or "usecs"

-- The text of a `struct place`, as cdata or as a table.
local function address(place)
    local family = tonumber(place.family)
    if family == 0 then
        return "all"
    end
    local bytes = type(place.address) == "table" and string.char(unpack(place.address)) or ffi.string(place.address, 16)
    return BPF.inet_ntop(family, bytes:sub(1, family == 2 and 4 or 16))
end

local function summary()
    for place, sum in b.sums:drain() do
        local count = tonumber(sum.count)
        local total = tonumber(sum.us) / (args.milliseconds and 1000 or 1)
        tool.out.summary:print{ address = address(place), average = total / count, count = count, unit = unit }
    end
end

tool:say("Tracing round trip times. Ctrl-C ends it.")
tool:run{
    interval = args.interval,
    duration = args.duration,
    each = function()
        if args.timestamp then
            tool:say(os.date("%H:%M:%S"))
        end
        local section = args.byladdr and "local address" or args.byraddr and "remote address" or "addresses"
        tool:hist(b.times, { unit = unit, section = section, section_fn = address, clear = true })
        if args.extension then
            summary()
        end
    end,
}
