-- SPDX-License-Identifier: Apache-2.0
-- Programs on a network device: XDP and packet sockets; and the types that functions are loaded as.

local t = require("harness")
local net = require("help.sockets")
os.execute("ip link set lo up 2>/dev/null")

local b = BPF({
    text = [[
BPF_ARRAY(seen, u64, 4);
static int is_ours(void *data, void *end, u16 port) {
    struct { struct ethhdr eth; struct iphdr ip; struct udphdr udp; } __attribute__((packed)) *p = data;
    if ((void *)(p + 1) > end) return 0;
    return p->ip.protocol == 17 && p->udp.dest == bpf_htons(port);
}
BPF_ARRAY(wanted, u16, 1);
static u16 port(void) {
    int zero = 0;
    u16 *p = wanted.lookup(&zero);
    return p ? *p : 0;
}
int drop_ours(struct xdp_md *ctx) {
    if (!is_ours((void *)(long)ctx->data, (void *)(long)ctx->data_end, port())) return XDP_PASS;
    seen.increment(0);
    return XDP_DROP;
}
int pass_all(struct xdp_md *ctx) { seen.increment(1); return XDP_PASS; }
int keep_udp(struct __sk_buff *skb) {
    if (load_byte(skb, 23) != 17 || load_half(skb, 36) != port()) return 0;
    seen.increment(2);
    return -1;
}
int any_skb(struct __sk_buff *skb) { return skb->len ? 1 : 0; }
int any(void *ctx) { return 0; }
]],
})

local function drop(fn, ...)
    BPF.attach_xdp("lo", fn, ...)
    local receiver, number = net.udp()
    local sender = net.udp()
    b.wanted[0] = number
    assert(net.connect(sender, number) == 0)
    local before = tonumber(b.seen[0])
    net.send(sender, "to be dropped")
    net.until_true("the packet is seen", function() return tonumber(b.seen[0]) > before end)
    t.equal(net.recv(receiver), nil)
    BPF.remove_xdp("lo", 0)
    net.send(sender, "to be seen")
    net.until_true("the packet comes", function() return net.recv(receiver) == "to be seen" end)
    net.C.close(sender)
    net.C.close(receiver)
end

t.test("XDP decides over packets until it is removed", function()
    local fn = b:load_func("drop_ours", BPF.XDP)
    t.equal(fn.fd > 2, true)
    drop(fn)
    drop(fn, BPF.XDP_FLAGS_SKB_MODE)
    t.equal(#b:probes(), 0)
end)

t.test("a second program takes the place of the first, unless the flags forbid it", function()
    b:attach_xdp({ dev = "lo", fn_name = "drop_ours" })
    local again = t.fails(function() b:attach_xdp("lo", "pass_all", BPF.XDP_FLAGS_UPDATE_IF_NOEXIST) end)
    t.contains(again, "(`drop_ours`) is there already")
    b:attach_xdp("lo", b:load_func("pass_all", "BPF_PROG_TYPE_XDP"))
    local probes = b:probes()
    t.equal(#probes, 1)
    t.equal(probes[1].fn_name, "pass_all")
    t.equal(probes[1].kind, "xdp")
    t.contains(table.concat(probes[1].notes, "\n"), "in place of program")
    local before = tonumber(b.seen[1])
    t.equal(net.round_trip("through XDP"), "through XDP")
    t.equal(tonumber(b.seen[1]) > before, true)
    b.remove_xdp("lo")
    BPF.remove_xdp("lo") -- nothing there is no error
end)

t.test("a packet socket sees what its filter keeps", function()
    local receiver, number = net.udp()
    b.wanted[0] = number
    local fn = b:load_func("keep_udp", BPF.SOCKET_FILTER)
    BPF.attach_raw_socket(fn, "lo")
    t.equal(fn.sock > 2, true)
    t.equal(fn:recv(), nil)
    local sender = net.udp()
    assert(net.connect(sender, number) == 0)
    net.send(sender, "for the filter")
    local packet
    net.until_true("a packet", function()
        packet = fn:recv()
        return packet
    end)
    t.equal(packet:sub(-14), "for the filter")
    t.equal(#packet, 14 + 20 + 8 + 14)
    t.equal(tonumber(b.seen[2]) >= 1, true)
    local probe = b:probes()[1]
    t.equal(probe.kind .. " " .. probe.mechanism .. " " .. probe.target, "raw_socket socket lo")
    local all = b:load_func("any_skb")
    b:attach_raw_socket(all, "")
    net.send(sender, "for both")
    net.until_true("a packet", function() return all:recv(10) end)
    net.C.close(sender)
    net.C.close(receiver)
end)

t.test("a function on packets is what it is loaded as", function()
    local types = { "SOCKET_FILTER", "SCHED_CLS", "SCHED_ACT", "CGROUP_SKB", "LWT_IN", "LWT_OUT", "LWT_XMIT", "SK_SKB" }
    local seen = {}
    for _, name in ipairs(types) do
        local fn = b:load_func("any_skb", BPF[name])
        t.equal(seen[fn.fd], nil)
        seen[fn.fd] = true
        t.equal(b:load_func("any_skb", BPF[name]), fn)
    end
    for _, name in ipairs({ "KPROBE", "PERF_EVENT", "XDP", "SOCK_OPS", "CGROUP_DEVICE", "BPF_PROG_TYPE_SCHED_CLS", "cgroup_sock" }) do
        t.equal(b:load_func("any", BPF.BPFProgType[name:upper():gsub("BPF_PROG_TYPE_", "")]).fd > 2, true)
    end
    t.equal(b:load_func("any", "CGROUP_SOCKOPT", nil, BPF.BPFAttachType.CGROUP_SETSOCKOPT).fd > 2, true)
    t.equal(b:load_func("any", BPF.CGROUP_SOCK_ADDR, nil, "BPF_CGROUP_INET6_CONNECT").fd > 2, true)
end)

t.test("what cannot be done", function()
    local fn = b:load_func("pass_all", BPF.XDP)
    local function fails(method, ...)
        return t.fails(BPF[method], ...)
    end
    t.contains(fails("attach_xdp", "l0", fn), "no network device `l0` (ENODEV)")
    t.contains(fails("attach_xdp", "lo", fn, BPF.XDP_FLAGS_DRV_MODE), "the driver of `lo` has no XDP (EOPNOTSUPP)")
    t.contains(fails("attach_xdp", "lo", fn, BPF.XDP_FLAGS_HW_MODE), "`lo` cannot run programs itself")
    t.contains(fails("attach_xdp", "lo", fn, 6), "only one of the modes")
    t.contains(fails("attach_xdp", "lo", fn, BPF.XDP_FLAGS_REPLACE), "flags 0x10 are not among")
    t.contains(fails("attach_xdp", "lo", "pass_all"), "give what `load_func` returned")
    t.contains(fails("attach_raw_socket", b:load_func("any_skb"), "eth99"), "no network device `eth99`")
    t.contains(t.fails(function() b:load_func("any", "SCHED_CSL") end), "similar: SCHED_CLS")
    t.contains(t.fails(function() b:load_func("any", {}) end), "the program type is a table")
    t.contains(t.fails(function() fn:recv() end), "it has no raw socket")
end)
