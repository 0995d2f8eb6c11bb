-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "TCP packets that the kernel drops, with its reason and where it was"
parameters = [
  { name = "ipv4", flags = "-4 --ipv4", type = "flag", help = "IPv4 only" },
  { name = "ipv6", flags = "-6 --ipv6", type = "flag", help = "IPv6 only" },
  { name = "netns_id", flags = "--netns-id", type = "integer", range = [0, 4294967295], help = "this network namespace only, by its number" },
  { name = "pid_netns", flags = "--pid-netns", type = "pid", help = "the network namespace of this process only" },
  { name = "nostack", flags = "--no-stack", type = "flag", help = "leave out where it was" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "ip", width = 2, type = "integer", right = false },
  { name = "saddr", width = 15 },
  { name = "sport", width = 5, type = "integer", right = false },
  { name = "daddr", width = 15 },
  { name = "dport", width = 5, type = "integer", right = false },
  { name = "state", width = 11 },
  { name = "flags", width = 11 },
  { name = "reason", width = 18 },
  { name = "stack", when = "!nostack" },
]
examples = [
  { run = "", help = "every packet" },
  { run = "--no-stack --pid-netns 1", help = "of the first network namespace, one line each" },
]
[requires]
attach = ["raw_tracepoint:kfree_skb"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local sockets = require("bpflua.tool_sockets")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
const volatile u32 only_netns = 0;
const volatile bool with_stack = true;

struct event {
    struct tcp_tuple tuple;   // of the packet: from where to where
    u32 pid;
    int stack;
    enum skb_drop_reason reason;
    u8 state, flags;          // state 0: no socket is known
};

BPF_STACK_TRACE(stacks, 4096);
BPF_PERF_OUTPUT(events);

// The packet's addresses; the header behind them, or NULL when it is not TCP.
static __always_inline struct tcphdr *addresses(struct sk_buff *skb, struct tcp_tuple *tuple)
{
    unsigned char *network = skb->head + skb->network_header;
    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (struct iphdr *)network;
        tuple->family = AF_INET;
        *(u32 *)tuple->saddr = ip->saddr;
        *(u32 *)tuple->daddr = ip->daddr;
        return ip->protocol == IPPROTO_TCP ? (struct tcphdr *)(network + ip->ihl * 4) : 0;
    }
    if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = (struct ipv6hdr *)network;
        tuple->family = AF_INET6;
        bpf_probe_read_kernel(tuple->saddr, 16, &ip->saddr);
        bpf_probe_read_kernel(tuple->daddr, 16, &ip->daddr);
        return ip->nexthdr == IPPROTO_TCP ? (struct tcphdr *)(network + sizeof(*ip)) : 0;
    }
    return 0;
}

static __always_inline u32 namespace_of(struct sk_buff *skb)
{
    struct net_device *dev = skb->dev;
    struct sock *sk = skb->sk;
    return dev ? dev->nd_net.net->ns.inum : sk ? sk->__sk_common.skc_net.net->ns.inum : 0;
}

SEC("raw_tracepoint/kfree_skb")
int BPF_PROG(on_drop, struct sk_buff *skb, void *location, enum skb_drop_reason reason)
{
    struct event event = { .pid = bpf_get_current_pid_tgid() >> 32, .reason = reason };
    struct tcphdr *tcp = addresses(skb, &event.tuple);
    if (!tcp || (only_family && event.tuple.family != only_family))
        return 0;
    if (only_netns && namespace_of(skb) != only_netns)
        return 0;
    event.tuple.lport = bpf_ntohs(tcp->source);
    event.tuple.dport = bpf_ntohs(tcp->dest);
    event.flags = ((u8 *)tcp)[13];
    struct sock *sk = skb->sk;
    event.state = sk ? sk->__sk_common.skc_state : 0;
    event.stack = with_stack ? stacks.get_stackid(ctx, 0) : -1;
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]

pcall(ffi.cdef, "long readlink(const char *path, char *buffer, size_t size);")

-- The number of a process's network namespace.
local function namespace(pid)
    local buffer = ffi.new("char[64]")
    local length = tonumber(ffi.C.readlink(("/proc/%d/ns/net"):format(pid), buffer, 64))
    if length < 0 then
        tool:fail(("cannot tell the network namespace of process %d"):format(pid), BPF.strerror(ffi.errno()))
    end
    return tonumber(ffi.string(buffer, length):match("%d+"))
end

local constants = sockets.constants(args)
constants.only_netns = args.pid_netns and namespace(args.pid_netns) or args.netns_id
constants.with_stack = not args.nostack
local b = BPF{ text = sockets.text(TEXT), attach = false, constants = constants }
tool:attach(b, { { { raw_tp = "kfree_skb", fn_name = "on_drop" } } })

local function frames(id)
    local list = {}
    if id < 0 then
        return list
    end
    for address in b.stacks:walk(id) or function() end do
        local name = BPF.ksym(address, false, true)
        if not name:find("^bpf_prog_") and not name:find("^bpf_trace_run%d") then -- the program itself
            list[#list + 1] = name
        end
    end
    return list
end

b.events:open_perf_buffer(function(_, event)
    local row = sockets.columns(event.tuple, {
        time = os.date("%H:%M:%S"),
        pid = event.pid,
        state = event.state > 0 and BPF.tcp_state_name(event.state) or "-",
        flags = BPF.tcp_flag_names(event.flags),
        reason = (event:name_of("reason") or tostring(tonumber(event.reason))):gsub("^SKB_DROP_REASON_", ""),
        stack = frames(event.stack),
    })
    row.sport, row.lport = row.lport, nil
    tool:print(row)
end, { page_cnt = 64 })

tool:header()
tool:run{ duration = args.duration }
