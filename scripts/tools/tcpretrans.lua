-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "TCP packets that are sent again, because no answer came"
parameters = [
  { name = "sequence", flags = "-s --sequence", type = "flag", help = "show sequence numbers" },
  { name = "lossprobe", flags = "-l --lossprobe", type = "flag", help = "show tail loss probes, too" },
  { name = "count", flags = "-c --count", type = "flag", help = "count by connection, until the end" },
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "ip", width = 2, type = "integer", right = false },
  { name = "saddr", title = "LADDR", width = 15 },
  { name = "lport", width = 5, type = "integer", right = false },
  { name = "type", title = "T", width = 1 },
  { name = "daddr", title = "RADDR", width = 15 },
  { name = "dport", title = "RPORT", width = 5, type = "integer", right = false },
  { name = "state", width = 11 },
  { name = "seq", title = "SEQ", width = 10, type = "integer", right = false, when = "sequence" },
]
examples = [
  { run = "", help = "every packet that is sent again" },
  { run = "-l -s", help = "tail loss probes, too, and sequence numbers" },
  { run = "-c", help = "how many for each connection, when Ctrl-C is pressed" },
]
[outputs.counts]
help = "With -c: how many by connection"
columns = [
  { name = "type", title = "T", width = 1 },
  { name = "saddr", title = "LADDR", width = 25 },
  { name = "lport", width = 5, type = "integer", right = false },
  { name = "daddr", title = "RADDR", width = 25 },
  { name = "dport", title = "RPORT", width = 5, type = "integer", right = false },
  { name = "retransmits", width = 11, type = "integer" },
]
[requires]
attach = ["raw_tracepoint:tcp_retransmit_skb", "kprobe:tcp_send_loss_probe"]
]==]

local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile bool counting = false;

struct key {
    struct tcp_tuple tuple;
    u16 type;   // 0: sent again, 1: loss probe
};
struct event {
    struct key key;
    u32 pid, state, seq;
};

BPF_HASH(counts, struct key, u64, 65536);
BPF_PERF_OUTPUT(events);

static __always_inline int report(void *ctx, struct sock *sk, u32 seq, u16 type)
{
    struct event event = { .pid = bpf_get_current_pid_tgid() >> 32, .state = sk->__sk_common.skc_state, .seq = seq };
    if (!tcp_tuple_of(sk, &event.key.tuple) || !tcp_tuple_is_wanted(&event.key.tuple))
        return 0;
    event.key.type = type;
    if (counting)
        counts.atomic_increment(event.key);
    else
        events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}

// An answer to a connection that begins has no full socket here.
SEC("raw_tracepoint/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, struct sock *sk, struct sk_buff *skb)
{
    u32 seq = skb ? ((struct tcp_skb_cb *)skb->cb)->seq : 0;
    return report(ctx, sk, seq, 0);
}

int on_probe(struct pt_regs *ctx, struct sock *sk)
{
    return report(ctx, sk, ((struct tcp_sock *)sk)->snd_nxt, 1);
}
]]

local constants = sockets.constants(args)
constants.counting = args.count
local b = BPF{ text = sockets.text(TEXT), attach = false, constants = constants }
tool:attach(b, { { { raw_tp = "tcp_retransmit_skb", fn_name = "on_retransmit" } } })
if args.lossprobe then
    tool:attach(b, { { { event = "tcp_send_loss_probe", fn_name = "on_probe" } } })
end

local TYPES = { [0] = "R", "L" }
b.events:open_perf_buffer(function(_, event)
    tool:print(sockets.columns(event.key.tuple, {
        time = os.date("%H:%M:%S"),
        pid = event.pid,
        type = TYPES[event.key.type],
        state = BPF.tcp_state_name(event.state),
        seq = event.seq,
    }))
end, { page_cnt = 64 })

local function print_counts()
    local list = {}
    for key, count in b.counts:items() do
        local row = sockets.columns(key.tuple, { type = TYPES[key.type], retransmits = tonumber(count) })
        row.ip = nil
        list[#list + 1] = row
    end
    table.sort(list, function(one, other)
        return one.retransmits > other.retransmits
    end)
    for _, row in ipairs(list) do
        tool.out.counts:print(row)
    end
end

if args.count then
    tool:say("Counting packets that are sent again. Ctrl-C ends it.")
else
    tool:header()
end
tool:run{ duration = args.duration, each = args.count and print_counts or nil }
