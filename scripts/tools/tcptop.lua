-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Which TCP connections move most, as a table that is drawn anew"
parameters = [
  { name = "noclear", flags = "-C --noclear", type = "flag", help = "leave what is on the screen" },
  { name = "nosummary", flags = "-S --nosummary", type = "flag", help = "leave out the line with the load" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "maxrows", flags = "-r --maxrows", type = "integer", range = [1, 100000], help = "rows at most" },
  { name = "interval", positional = true, type = "duration", default = 1, help = "seconds between two reports" },
  { name = "count", positional = true, type = "integer", range = [1, 4294967295], help = "reports" },
]
columns = [
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 12, cut = true },
  { name = "saddr", title = "LADDR", width = 15 },
  { name = "lport", width = 5, type = "integer", right = false },
  { name = "daddr", title = "RADDR", width = 15 },
  { name = "dport", title = "RPORT", width = 5, type = "integer", right = false },
  { name = "rx_kb", width = 7, type = "number", decimals = 0, unit = "KiB" },
  { name = "tx_kb", width = 7, type = "number", decimals = 0, unit = "KiB" },
]
examples = [
  { run = "", help = "every second" },
  { run = "-C 5 10", help = "ten reports of five seconds, one below the other" },
]
[requires]
attach = ["raw_tracepoint:sock_*_length", "kprobe:tcp_*", "kretprobe:tcp_*"]
lua = ["ffi", "io.open"]
]==]

local ffi = require("ffi")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_pid = 0;

struct who {
    struct tcp_tuple tuple;
    u32 pid;
    char comm[TASK_COMM_LEN];
};
struct sum {
    u64 sent, received;
};

BPF_HASH(sums, struct who, struct sum, 65536);
BPF_HASH(calls, u64, struct sock *, 16384);   // by thread

static __always_inline int count(struct sock *sk, int bytes, bool is_sent)
{
    struct who who = { .pid = bpf_get_current_pid_tgid() >> 32 };
    if (bytes <= 0 || sk->sk_protocol != IPPROTO_TCP || container_should_be_filtered() || (only_pid && who.pid != only_pid))
        return 0;
    if (!tcp_tuple_of(sk, &who.tuple) || !tcp_tuple_is_wanted(&who.tuple))
        return 0;
    bpf_get_current_comm(who.comm, sizeof(who.comm));
    struct sum zero = {}, *sum = sums.lookup_or_try_init(&who, &zero);
    if (sum)
        lock_xadd(is_sent ? &sum->sent : &sum->received, bytes);
    return 0;
}

SEC("raw_tracepoint/sock_send_length")
int BPF_PROG(on_sent, struct sock *sk, int bytes, int flags)
{
    return count(sk, bytes, true);
}

// What is only looked at is read again.
SEC("raw_tracepoint/sock_recv_length")
int BPF_PROG(on_received, struct sock *sk, int bytes, int flags)
{
    return flags & MSG_PEEK ? 0 : count(sk, bytes, false);
}

static __always_inline int keep(struct sock *sk)
{
    u64 id = bpf_get_current_pid_tgid();
    calls.update(&id, &sk);
    return 0;
}

int on_send(struct pt_regs *ctx, struct sock *sk)
{
    return keep(sk);
}

int on_receive(struct pt_regs *ctx, struct sock *sk, void *message, size_t size, int flags)
{
    return flags & MSG_PEEK ? 0 : keep(sk);
}

static __always_inline int leave(int result, bool is_sent)
{
    u64 id = bpf_get_current_pid_tgid();
    struct sock **sk = calls.lookup(&id);
    if (!sk)
        return 0;
    count(*sk, result, is_sent);
    calls.delete(&id);
    return 0;
}

int on_send_return(struct pt_regs *ctx)
{
    return leave(PT_REGS_RC(ctx), true);
}

int on_receive_return(struct pt_regs *ctx)
{
    return leave(PT_REGS_RC(ctx), false);
}
]]

local constants = sockets.constants(args)
constants.only_pid = args.pid
local b = BPF{ text = BPF.filter_by_containers(args) .. sockets.text(TEXT), attach = false, constants = constants }

-- The kernel's functions, where there are no tracepoints; one of them is gone since 6.5.
local function functions(...)
    local list = {
        { event = "tcp_recvmsg", fn_name = "on_receive" },
        { event = "tcp_recvmsg", fn_name = "on_receive_return", retprobe = true },
    }
    for _, name in ipairs({ ... }) do
        list[#list + 1] = { event = name, fn_name = "on_send" }
        list[#list + 1] = { event = name, fn_name = "on_send_return", retprobe = true }
    end
    return list
end

tool:attach(b, {
    { { raw_tp = "sock_send_length", fn_name = "on_sent" }, { raw_tp = "sock_recv_length", fn_name = "on_received" } },
    functions("tcp_sendmsg", "tcp_sendpage"),
    functions("tcp_sendmsg"),
})

local function rows()
    local list = {}
    for who, sum in b.sums:drain() do
        local row = sockets.columns(who.tuple, {
            pid = who.pid,
            comm = ffi.string(who.comm),
            rx_kb = tonumber(sum.received) / 1024,
            tx_kb = tonumber(sum.sent) / 1024,
        })
        row.ip = nil
        list[#list + 1] = row
    end
    table.sort(list, function(one, other)
        return one.rx_kb + one.tx_kb > other.rx_kb + other.tx_kb
    end)
    for i = #list, (args.maxrows or #list) + 1, -1 do
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

if args.ipv6 then
    tool:widths{ saddr = 26, daddr = 26 }
end
tool:say(("Tracing TCP. A report every %g s. Ctrl-C ends it."):format(args.interval))
tool:run{
    interval = args.interval,
    count = args.count,
    each = function()
        tool:view(rows(), { title = not args.nosummary and load_average() or nil, keep = args.noclear })
    end,
}
