-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "TCP connections that processes of this machine begin"
description = "Those that fail later are shown as well: what counts is that a connection was begun."
parameters = [
  { name = "timestamp", flags = "-t --timestamp", type = "flag", help = "show seconds since the first" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "port", flags = "-P --port", metavar = "PORTS", help = "these remote ports only (80,443)" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "lport", flags = "-L --lport", type = "flag", help = "show the local port" },
  { name = "print_uid", flags = "-U --print-uid", type = "flag", help = "show the user's ID" },
  { name = "uid", flags = "-u --uid", type = "integer", range = [0, 4294967295], help = "this user's only" },
  { name = "count", flags = "-c --count", type = "flag", help = "count connections by addresses and port, until the end" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "dns", flags = "-d --dns", type = "flag", help = "show the name that the address was last asked for by, and how long before" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "elapsed", title = "TIME(s)", width = 8, type = "number", decimals = 3, unit = "s", right = false, when = "timestamp" },
  { name = "uid", width = 5, type = "integer", right = false, when = "print_uid" },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 12 },
  { name = "ip", width = 2, type = "integer", right = false },
  { name = "saddr", width = 16 },
  { name = "lport", width = 6, type = "integer", right = false, when = "lport" },
  { name = "daddr", width = 16 },
  { name = "dport", width = 6, type = "integer", right = false },
  { name = "query_ms", title = "QUERY(ms)", width = 9, type = "number", decimals = 3, unit = "ms", when = "dns" },
  { name = "query", when = "dns" },
]
examples = [
  { run = "", help = "every connection" },
  { run = "-P 80,443 -L", help = "to these ports, with the local port" },
  { run = "-d", help = "with the names that were looked up" },
  { run = "-c", help = "how many to where, when Ctrl-C is pressed" },
]
[outputs.counts]
help = "With -c: how many connections"
columns = [
  { name = "saddr", title = "LADDR", width = 25 },
  { name = "daddr", title = "RADDR", width = 25 },
  { name = "dport", title = "RPORT", width = 6, type = "integer", right = false },
  { name = "connections", title = "CONNECTS", width = 8, type = "integer" },
]
[requires]
attach = ["kprobe:tcp_connect", "raw_tracepoint:inet_sock_set_state", "tracepoint:syscalls:sys_exit_*", "tracepoint:syscalls:sys_enter_rec*", "tracepoint:syscalls:sys_enter_read"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local attach = require("bpflua.tool_attach")
local dns = require("bpflua.tool_dns")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_pid = 0, only_uid = -1;
const volatile bool counting = false, with_lport = false;

struct event {
    u64 at;
    u32 pid, uid;
    struct tcp_tuple tuple;
    char comm[TASK_COMM_LEN];
};

struct begun {
    struct sock *sk;
    struct event event;
};

BPF_PERF_OUTPUT(events);
BPF_HASH(counts, struct tcp_tuple, u64, 65536);
BPF_HASH(begun, u64, struct begun, 16384);   // by thread

// False, when nobody wants it.
static __always_inline bool look(struct sock *sk, struct event *event)
{
    event->at = bpf_ktime_get_ns();
    event->pid = bpf_get_current_pid_tgid() >> 32;
    event->uid = bpf_get_current_uid_gid();
    bpf_get_current_comm(event->comm, sizeof(event->comm));
    if (container_should_be_filtered() || (only_pid && event->pid != only_pid) || (only_uid != (u32)-1 && event->uid != only_uid))
        return false;
    return tcp_tuple_of(sk, &event->tuple) && tcp_tuple_is_wanted(&event->tuple);
}

static __always_inline void report(void *ctx, struct event *event)
{
    if (counting) {
        event->tuple.lport = 0;
        counts.atomic_increment(event->tuple);
    } else {
        events.perf_submit(ctx, event, sizeof(*event));
    }
}

int on_connect(struct pt_regs *ctx, struct sock *sk)
{
    struct event event = {};
    if (look(sk, &event))
        report(ctx, &event);
    return 0;
}

// Here the local port may not be chosen yet: it is when the system call returns.
SEC("raw_tracepoint/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
    struct begun one = { .sk = sk };
    if (new != TCP_SYN_SENT || sk->sk_protocol != IPPROTO_TCP || !look(sk, &one.event))
        return 0;
    if (with_lport && !one.event.tuple.lport) {
        u64 id = bpf_get_current_pid_tgid();
        begun.update(&id, &one);
    } else {
        report(ctx, &one.event);
    }
    return 0;
}

int on_exit(void *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    struct begun *one = begun.lookup(&id);
    if (!one)
        return 0;
    struct event event = one->event;
    struct tcp_tuple now;
    tcp_tuple_of(one->sk, &now);
    event.tuple.lport = now.lport;   // the rest is gone when the connection was refused
    report(ctx, &event);
    begun.delete(&id);
    return 0;
}
]]

local constants = sockets.constants(args, { dports = args.port, dflag = "--port" })
constants.only_pid, constants.only_uid = args.pid, args.uid
constants.counting, constants.with_lport = args.count, args.lport and not args.count
if args.dns and args.count then
    tool:fail("cannot count connections by name", "-c and -d exclude each other")
end
local text = BPF.filter_by_containers(args) .. sockets.text(args.dns and dns.TEXT .. TEXT or TEXT)
local b = BPF{ text = text, attach = false, constants = constants }

local by_state = { { raw_tp = "inet_sock_set_state", fn_name = "on_state" } }
if args.lport then
    for i, call in ipairs({ "connect", "sendto", "sendmsg", "io_uring_enter" }) do
        by_state[i + 1] = { tp = "syscalls:sys_exit_" .. call, fn_name = "on_exit" }
    end
end
tool:attach(b, { { { event = "tcp_connect", fn_name = "on_connect" } }, by_state })
local name_of = args.dns and dns.follow(b)
if args.dns then
    tool:attach(b, { dns.way(attach) })
end

local first
local waiting = {}
b.events:open_perf_buffer(function(_, event)
    first = first or event.at
    local row = sockets.columns(event.tuple, {
        elapsed = tonumber(event.at - first) / 1e9,
        uid = event.uid,
        pid = event.pid,
        comm = ffi.string(event.comm),
    })
    if args.dns then
        waiting[#waiting + 1] = { row = row, at = event.at + 0 }
    else
        tool:print(row)
    end
end, { page_cnt = 64 })

-- Answers come through buffers of their own: a connection waits until those before it were read.
local function print_waiting()
    for _, one in ipairs(waiting) do
        one.row.query, one.row.query_ms = name_of(one.row.daddr, one.at)
        tool:print(one.row)
    end
    waiting = {}
end

local function print_counts()
    local list = {}
    for tuple, count in b.counts:items() do
        local row = sockets.columns(tuple)
        list[#list + 1] = { saddr = row.saddr, daddr = row.daddr, dport = row.dport, connections = tonumber(count) }
    end
    table.sort(list, function(one, other)
        return one.connections > other.connections
    end)
    for _, row in ipairs(list) do
        tool.out.counts:print(row)
    end
end

if args.count then
    tool:say("Counting connections. Ctrl-C ends it.")
else
    tool:header()
end
if args.dns then
    tool:run{ duration = args.duration, interval = 0.1, each = print_waiting }
else
    tool:run{ duration = args.duration, each = args.count and print_counts or nil }
end
