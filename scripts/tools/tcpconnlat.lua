-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long TCP connections that this machine begins take to be established"
description = "The time is that from the first packet until the answer was there: the network's, and the other kernel's."
parameters = [
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the first" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "lport", flags = "-L --lport", type = "flag", help = "show the local port" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "least", positional = true, type = "number", range = [0, 1e9], default = 0, metavar = "MS", help = "connections that took so many milliseconds or more" },
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "print the C text first" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "elapsed", title = "TIME(s)", width = 8, type = "number", decimals = 3, unit = "s", right = false, when = "timestamp" },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 12 },
  { name = "ip", width = 2, type = "integer", right = false },
  { name = "saddr", width = 16 },
  { name = "lport", width = 6, type = "integer", right = false, when = "lport" },
  { name = "daddr", width = 16 },
  { name = "dport", width = 5, type = "integer", right = false },
  { name = "latency", title = "LAT(ms)", width = 8, type = "number", decimals = 2, unit = "ms" },
]
examples = [
  { run = "", help = "every connection" },
  { run = "10", help = "those that took 10 ms or more" },
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
const volatile u64 least_ns = 0;

struct begun {
    u64 at;
    u32 pid;
    char comm[TASK_COMM_LEN];
};
struct event {
    u64 at, spent;
    u32 pid;
    struct tcp_tuple tuple;
    char comm[TASK_COMM_LEN];
};

BPF_HASH(connecting, struct sock *, struct begun, 65536);
BPF_PERF_OUTPUT(events);

static __always_inline void begin(struct sock *sk)
{
    struct begun begun = { .at = bpf_ktime_get_ns(), .pid = bpf_get_current_pid_tgid() >> 32 };
    if (only_pid && begun.pid != only_pid)
        return;
    bpf_get_current_comm(begun.comm, sizeof(begun.comm));
    connecting.update(&sk, &begun);
}

static __always_inline void establish(void *ctx, struct sock *sk, struct begun *begun)
{
    struct event event = { .at = bpf_ktime_get_ns(), .pid = begun->pid };
    event.spent = event.at - begun->at;
    if (event.spent < least_ns || !tcp_tuple_of(sk, &event.tuple) || !tcp_tuple_is_wanted(&event.tuple))
        return;
    __builtin_memcpy(event.comm, begun->comm, sizeof(event.comm));
    events.perf_submit(ctx, &event, sizeof(event));
}

SEC("raw_tracepoint/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
    if (new == TCP_SYN_SENT && sk->sk_protocol == IPPROTO_TCP) {
        begin(sk);
    } else if (old == TCP_SYN_SENT) {
        struct begun *begun = connecting.lookup(&sk);
        if (begun && new == TCP_ESTABLISHED)
            establish(ctx, sk, begun);
        connecting.delete(&sk);
    }
    return 0;
}
]]

local constants = sockets.constants(args)
constants.only_pid, constants.least_ns = args.pid, args.least * 1e6
if args.verbose then
    io.stderr:write(TEXT, "\n")
end
local b = BPF{ text = sockets.text(TEXT), attach = false, constants = constants }
tool:attach(b, { { { raw_tp = "inet_sock_set_state", fn_name = "on_state" } } })

local first
b.events:open_perf_buffer(function(_, event)
    first = first or event.at
    tool:print(sockets.columns(event.tuple, {
        elapsed = tonumber(event.at - first) / 1e9,
        pid = event.pid,
        comm = ffi.string(event.comm),
        latency = tonumber(event.spent) / 1e6,
    }))
end, { page_cnt = 64 })

tool:header()
tool:run{ duration = args.duration }
