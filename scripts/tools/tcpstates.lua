-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Changes of state of TCP connections, with the time spent in each state"
parameters = [
  { name = "time", flags = "-T --time", type = "flag", help = "show the time of day" },
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the first" },
  { name = "wide", flags = "-w --wide", type = "flag", help = "wide columns, for IPv6" },
  { name = "localport", flags = "-L --localport", metavar = "PORTS", help = "these local ports only (80,443)" },
  { name = "remoteport", flags = "-D --remoteport", metavar = "PORTS", help = "these remote ports only" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "csv", flags = "-s --csv", type = "flag", help = "print CSV" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8, when = "time" },
  { name = "elapsed", title = "TIME(s)", width = 9, type = "number", decimals = 6, unit = "s", right = false, when = "timestamp" },
  { name = "socket", title = "SKADDR", width = 16 },
  { name = "pid", title = "C-PID", width = 7, type = "integer", right = false },
  { name = "comm", title = "C-COMM", width = 10, cut = true },
  { name = "ip", width = 2, type = "integer", right = false, when = "wide" },
  { name = "saddr", title = "LADDR", width = 15 },
  { name = "lport", width = 5, type = "integer", right = false },
  { name = "daddr", title = "RADDR", width = 15 },
  { name = "dport", title = "RPORT", width = 5, type = "integer", right = false },
  { name = "oldstate", width = 11 },
  { name = "newstate", width = 11 },
  { name = "ms", width = 9, type = "number", decimals = 3, unit = "ms" },
]
examples = [
  { run = "", help = "every change" },
  { run = "-T -L 80", help = "of a server's connections, with the time of day" },
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
struct event {
    u64 at, spent, socket;
    u32 pid, old, new;
    struct tcp_tuple tuple;
    char comm[TASK_COMM_LEN];
};

BPF_HASH(since, struct sock *, u64, 65536);
BPF_PERF_OUTPUT(events);

SEC("raw_tracepoint/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
    if (sk->sk_protocol != IPPROTO_TCP)
        return 0;
    struct event event = { .at = bpf_ktime_get_ns(), .socket = (u64)sk, .old = old, .new = new };
    u64 *before = since.lookup(&sk);
    if (before)
        event.spent = event.at - *before;
    if (new == TCP_CLOSE)
        since.delete(&sk);
    else
        since.update(&sk, &event.at);
    if (!tcp_tuple_of(sk, &event.tuple) || !tcp_tuple_is_wanted(&event.tuple))
        return 0;
    event.pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]

local constants = sockets.constants(args, { lports = args.localport, dports = args.remoteport })
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
        socket = ("%x"):format(event.socket),
        pid = event.pid,
        comm = ffi.string(event.comm),
        oldstate = BPF.tcp_state_name(event.old),
        newstate = BPF.tcp_state_name(event.new),
        ms = tonumber(event.spent) / 1e6,
    }))
end, { page_cnt = 64 })

tool:header()
tool:run{ duration = args.duration }
