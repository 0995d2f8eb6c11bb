-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Sockets that begin to listen: whose, at which address, with which backlog"
parameters = [
  { name = "show_netns", flags = "--show-netns", type = "flag", help = "show the network namespace" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "netns", flags = "-n --netns", type = "integer", range = [0, 4294967295], help = "this network namespace only, by its number" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 12 },
  { name = "netns", width = 12, type = "integer", right = false, when = "show_netns" },
  { name = "protocol", title = "PROTO", width = 7 },
  { name = "backlog", width = 8, type = "integer", right = false },
  { name = "port", width = 5, type = "integer", right = false },
  { name = "address", title = "ADDR" },
]
examples = [
  { run = "", help = "every socket" },
  { run = "--show-netns", help = "with the network namespace" },
]
[requires]
attach = ["tracepoint:syscalls:sys_*_listen"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_pid = 0, only_netns = 0;

struct call {
    int fd, backlog;
};
struct event {
    struct tcp_tuple tuple;
    u32 pid, netns;
    int backlog;
    u16 protocol;
    char comm[TASK_COMM_LEN];
};

BPF_HASH(calls, u64, struct call, 16384);   // by thread
BPF_PERF_OUTPUT(events);

TRACEPOINT_PROBE(syscalls, sys_enter_listen)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call call = { args->fd, args->backlog };
    if (!only_pid || id >> 32 == only_pid)
        calls.update(&id, &call);
    return 0;
}

// When it returns, a socket that was bound to no port has one.
TRACEPOINT_PROBE(syscalls, sys_exit_listen)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call *call = calls.lookup(&id);
    struct event event = { .pid = id >> 32 };
    if (!call)
        return 0;
    event.backlog = call->backlog;
    struct sock *sk = args->ret ? 0 : socket_of_fd(call->fd);
    calls.delete(&id);
    if (!sk || !tcp_tuple_of(sk, &event.tuple))
        return 0;
    event.netns = sk->__sk_common.skc_net.net->ns.inum;
    if (only_netns && event.netns != only_netns)
        return 0;
    event.protocol = sk->sk_protocol;
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    events.perf_submit(args, &event, sizeof(event));
    return 0;
}
]]

local constants = sockets.constants({})
constants.only_pid, constants.only_netns = args.pid, args.netns
local b = BPF{ text = sockets.text(TEXT), constants = constants }

-- Protocols on which sockets listen.
local PROTOCOLS = { [6] = "TCP", [33] = "DCCP", [132] = "SCTP", [262] = "MPTCP" }

b.events:open_perf_buffer(function(_, event)
    local row = sockets.columns(event.tuple)
    tool:print{
        pid = event.pid,
        comm = ffi.string(event.comm),
        netns = event.netns,
        protocol = (PROTOCOLS[event.protocol] or tostring(event.protocol)) .. "v" .. row.ip,
        backlog = event.backlog,
        port = row.lport,
        address = row.saddr,
    }
end)

tool:header()
tool:run{ duration = args.duration }
