-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "TCP connections that processes of this machine accept"
parameters = [
  { name = "time", flags = "-T --time", type = "flag", help = "show the time of day" },
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the first" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "port", flags = "-P --port", metavar = "PORTS", help = "these local ports only (80,443)" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8, when = "time" },
  { name = "elapsed", title = "TIME(s)", width = 8, type = "number", decimals = 3, unit = "s", right = false, when = "timestamp" },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 12 },
  { name = "ip", width = 2, type = "integer", right = false },
  { name = "daddr", title = "RADDR", width = 16 },
  { name = "dport", title = "RPORT", width = 5, type = "integer", right = false },
  { name = "saddr", title = "LADDR", width = 16 },
  { name = "lport", width = 5, type = "integer", right = false },
]
examples = [
  { run = "", help = "every connection" },
  { run = "-P 80,443 -T", help = "at these ports, with the time of day" },
]
[requires]
attach = ["kretprobe:inet_csk_accept", "tracepoint:syscalls:sys_exit_accept*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_pid = 0;

struct event {
    u64 at;
    u32 pid;
    struct tcp_tuple tuple;
    char comm[TASK_COMM_LEN];
};

BPF_PERF_OUTPUT(events);

static __always_inline int report(void *ctx, struct sock *sk)
{
    struct event event = { .at = bpf_ktime_get_ns(), .pid = bpf_get_current_pid_tgid() >> 32 };
    if (!sk || sk->sk_protocol != IPPROTO_TCP || container_should_be_filtered() || (only_pid && event.pid != only_pid))
        return 0;
    if (!tcp_tuple_of(sk, &event.tuple) || !tcp_tuple_is_wanted(&event.tuple))
        return 0;
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}

int on_accept(struct pt_regs *ctx)
{
    return report(ctx, (struct sock *)PT_REGS_RC(ctx));
}

TRACEPOINT_PROBE(syscalls, sys_exit_accept)
{
    return args->ret < 0 ? 0 : report(args, socket_of_fd(args->ret));
}

TRACEPOINT_PROBE(syscalls, sys_exit_accept4)
{
    return args->ret < 0 ? 0 : report(args, socket_of_fd(args->ret));
}
]]

local constants = sockets.constants(args, { lports = args.port, lflag = "--port" })
constants.only_pid = args.pid
local b = BPF{ text = BPF.filter_by_containers(args) .. sockets.text(TEXT), attach = false, constants = constants }
tool:attach(b, {
    { { event = "inet_csk_accept", fn_name = "on_accept", retprobe = true } },
    {
        { tp = "syscalls:sys_exit_accept", fn_name = "tracepoint__syscalls__sys_exit_accept" },
        { tp = "syscalls:sys_exit_accept4", fn_name = "tracepoint__syscalls__sys_exit_accept4" },
    },
})

local first
b.events:open_perf_buffer(function(_, event)
    first = first or event.at
    tool:print(sockets.columns(event.tuple, {
        time = os.date("%H:%M:%S"),
        elapsed = tonumber(event.at - first) / 1e9,
        pid = event.pid,
        comm = ffi.string(event.comm),
    }))
end, { page_cnt = 64 })

tool:header()
tool:run{ duration = args.duration }
