-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "TCP connections as they end: whose, with whom, how much was sent and received, how long"
description = "Connections that were there before and ended since have no time, and are not shown."
parameters = [
  { name = "time", flags = "-T --time", type = "flag", help = "show the time of day" },
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the first" },
  { name = "wide", flags = "-w --wide", type = "flag", help = "wide columns, for IPv6" },
  { name = "csv", flags = "-s --csv", type = "flag", help = "print CSV" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "localport", flags = "-L --localport", metavar = "PORTS", help = "these local ports only (80,443)" },
  { name = "remoteport", flags = "-D --remoteport", metavar = "PORTS", help = "these remote ports only" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8, when = "time" },
  { name = "elapsed", title = "TIME(s)", width = 9, type = "number", decimals = 6, unit = "s", right = false, when = "timestamp" },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 10, cut = true },
  { name = "ip", width = 2, type = "integer", right = false, when = "wide" },
  { name = "saddr", title = "LADDR", width = 15 },
  { name = "lport", width = 5, type = "integer", right = false },
  { name = "daddr", title = "RADDR", width = 15 },
  { name = "dport", title = "RPORT", width = 5, type = "integer", right = false },
  { name = "tx_kb", width = 6, type = "number", decimals = 0, unit = "KiB" },
  { name = "rx_kb", width = 6, type = "number", decimals = 0, unit = "KiB" },
  { name = "ms", width = 8, type = "number", decimals = 2, unit = "ms" },
]
examples = [
  { run = "", help = "every connection that ends" },
  { run = "-L 22,80 -T", help = "of these servers, with the time of day" },
]
[requires]
attach = ["raw_tracepoint:inet_sock_set_state"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_pid = 0;

struct life {
    u64 begun;
    u32 pid;   // 0: not known yet
    char comm[TASK_COMM_LEN];
};
struct event {
    u64 at, spent, sent, received;
    u32 pid;
    struct tcp_tuple tuple;
    char comm[TASK_COMM_LEN];
};

BPF_HASH(lives, struct sock *, struct life, 65536);
BPF_PERF_OUTPUT(events);

// What was acknowledged, without the sequence numbers of SYN and FIN.
static __always_inline u64 sent_by(struct sock *sk)
{
    struct tcp_sock *tcp = (struct tcp_sock *)sk;
    u64 acked = tcp->bytes_acked, payload = tcp->bytes_sent - tcp->bytes_retrans;
    return acked < payload ? acked : payload;
}

static __always_inline u64 received_by(struct sock *sk)
{
    struct tcp_sock *tcp = (struct tcp_sock *)sk;
    u64 received = tcp->bytes_received;
    bool has_fin = sk->__sk_common.skc_flags >> SOCK_DONE & 1;
    return received && has_fin ? received - 1 : received;
}

static __always_inline void own(struct life *life)
{
    life->pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(life->comm, sizeof(life->comm));
}

static __always_inline int end(void *ctx, struct sock *sk)
{
    struct life *life = lives.lookup(&sk);
    if (!life)
        return 0;
    if (!life->pid)
        own(life);
    struct event event = { .at = bpf_ktime_get_ns(), .pid = life->pid };
    if ((!only_pid || event.pid == only_pid) && tcp_tuple_of(sk, &event.tuple) && tcp_tuple_is_wanted(&event.tuple)) {
        event.spent = event.at - life->begun;
        event.sent = sent_by(sk);
        event.received = received_by(sk);
        __builtin_memcpy(event.comm, life->comm, sizeof(event.comm));
        events.perf_submit(ctx, &event, sizeof(event));
    }
    lives.delete(&sk);
    return 0;
}

SEC("raw_tracepoint/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
    if (sk->sk_protocol != IPPROTO_TCP)
        return 0;
    if (new == TCP_CLOSE)
        return end(ctx, sk);
    struct life *life = lives.lookup(&sk);
    if (new < TCP_FIN_WAIT1) {
        struct life fresh = { .begun = bpf_ktime_get_ns() };
        if (new == TCP_SYN_SENT)
            own(&fresh);
        if (life)
            life->begun = fresh.begun;   // what counts is when it was established
        else
            lives.update(&sk, &fresh);
    } else if (life && !life->pid && (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK)) {
        own(life);   // it is its process that closes it
    }
    return 0;
}
]]

local constants = sockets.constants(args, { lports = args.localport, dports = args.remoteport })
constants.only_pid = args.pid
local b = BPF{ text = sockets.text(TEXT), attach = false, constants = constants }
tool:attach(b, { { { raw_tp = "inet_sock_set_state", fn_name = "on_state" } } })

if args.wide then
    tool:widths{ saddr = 26, daddr = 26 }
end
local first
b.events:open_perf_buffer(function(_, event)
    first = first or event.at
    tool:print(sockets.columns(event.tuple, {
        time = os.date("%H:%M:%S"),
        elapsed = tonumber(event.at - first) / 1e9,
        pid = event.pid,
        comm = ffi.string(event.comm),
        tx_kb = tonumber(event.sent) / 1024,
        rx_kb = tonumber(event.received) / 1024,
        ms = tonumber(event.spent) / 1e6,
    }))
end, { page_cnt = 64 })

tool:header()
tool:run{ duration = args.duration }
