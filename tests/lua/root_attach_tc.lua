-- SPDX-License-Identifier: Apache-2.0
-- Traffic control and netfilter: programs that let packets of the loopback device pass or drop them.

local t = require("harness")
local net = require("help.sockets")
local modules = require("help.modules")
modules.load("sch_ingress", "cls_bpf")
os.execute("ip link set lo up 2>/dev/null")

local b = BPF({
    text = [[
BPF_ARRAY(seen, u64, 1);
BPF_ARRAY(drop, u32, 1);
int classify(struct __sk_buff *skb) {
    struct { struct ethhdr eth; struct iphdr ip; struct udphdr udp; } __attribute__((packed)) *p = (void *)(long)skb->data;
    if ((void *)(p + 1) > (void *)(long)skb->data_end || p->ip.protocol != 17) return TC_ACT_OK;
    seen.increment(0);
    int zero = 0;
    u32 *port = drop.lookup(&zero);
    return port && p->udp.dest == bpf_htons(*port) ? TC_ACT_SHOT : TC_ACT_OK;
}
]],
})

local function seen(slot)
    return tonumber(b.seen[slot])
end

-- A datagram that arrives, and one that does not.
local function check(attached, detach)
    b.drop[0] = 0
    local before = seen(0)
    t.equal(net.round_trip("passes"), "passes")
    t.equal(seen(0) > before, true)
    local receiver, port = net.udp()
    local sender = net.udp()
    assert(net.connect(sender, port) == 0)
    b.drop[0] = port
    net.send(sender, "dropped")
    t.equal(net.recv(receiver), nil)
    local probe = b:probes()[1]
    t.equal(probe.kind, "tc")
    t.equal(probe.target, attached)
    detach()
    net.send(sender, "arrives")
    net.until_true("the datagram arrives", function() return net.recv(receiver) == "arrives" end)
    t.equal(#b:probes(), 0)
    net.C.close(sender)
    net.C.close(receiver)
    return probe
end

local function qdiscs()
    local tc = io.popen("tc qdisc show dev lo 2>/dev/null")
    local text = tc:read("*a")
    tc:close()
    return text
end

t.test("packets that come and packets that leave", function()
    for _, direction in ipairs({ "ingress", "egress" }) do
        t.equal(b:attach_tc({ fn_name = "classify", dev = "lo", direction = direction }), b)
        local probe = check("lo " .. direction, function()
            b:detach_tc({ dev = "lo", direction = direction, fn_name = "classify" })
        end)
        t.equal(probe.mechanism == "tcx" or probe.why[1] == "tcx: this kernel has none", true)
    end
end)

t.test("a filter on clsact, which goes with the last one", function()
    b:attach_tc({ fn_name = "classify", dev = "lo", mechanism = "clsact" })
    b:attach_tc({ fn_name = "classify", dev = "lo", direction = "egress", priority = 7, handle = 3 })
    local probes = b:probes()
    t.equal(probes[1].mechanism, "clsact")
    t.equal(probes[2].notes[1], "filter 0x3 of priority 7")
    if qdiscs() ~= "" then
        t.contains(qdiscs(), "clsact")
    end
    local taken = { fn_name = "classify", dev = "lo", direction = "egress", priority = 7, handle = 3 }
    t.contains(t.fails(b.attach_tc, b, taken), "filter 0x3 of priority 7 is there already (EEXIST)")
    b:detach_tc({ dev = "lo" })
    check("lo egress", function() b:detach_tc({ dev = "lo", direction = "egress" }) end)
    t.equal(qdiscs():find("clsact"), nil)
end)

t.test_unless(modules.lacks_type("bpf_nf_ctx", "this kernel has no netfilter programs"), "netfilter", function()
    local b = BPF({
        text = [[
BPF_ARRAY(seen, u64, 1);
BPF_ARRAY(drop, u32, 1);
int filter(struct bpf_nf_ctx *ctx) {
    int zero = 0;
    u32 *verdict = drop.lookup(&zero);
    if (ctx->skb->len != 20 + 8 + 6) return 1;
    seen.increment(0);
    return verdict && *verdict == 1 ? 0 : 1;
}
]],
    })
    local hook = { fn_name = "filter", hook = "input", priority = -100 }
    b:attach_netfilter(hook)
    t.equal(net.round_trip("passes"), "passes")
    t.equal(tonumber(b.seen[0]), 1)
    b.drop[0] = 1
    t.equal(net.round_trip("droppd"), nil)
    t.equal(tonumber(b.seen[0]), 2)
    local probe = b:probes()[1]
    t.equal(probe.kind .. ": " .. probe.target, "netfilter: ipv4 input at -100")
    t.contains(t.fails(b.attach_netfilter, b, hook), "a program of priority -100 at this hook already")
    b:detach_netfilter({ hook = "local_in", priority = -100 })
    t.equal(net.round_trip("passes again"), "passes again")
    t.contains(t.fails(b.attach_netfilter, b, { fn_name = "filter", hook = "inptu" }), "similar: input")
end)

t.test("what cannot be attached", function()
    local function fails(options)
        options.fn_name = "classify"
        return t.fails(b.attach_tc, b, options)
    end
    t.contains(fails({ dev = "l0" }), "no network device `l0`")
    t.contains(fails({ dev = "lo", direction = "sideways" }), "has no direction `sideways`")
    t.contains(fails({ dev = "lo", mechanism = "magic" }), "no mechanism `magic`")
    t.contains(t.fails(b.detach_tc, b, { dev = "lo" }), "cannot detach tc `lo ingress`: it is not attached")
    t.equal(#b:probes(), 0)
end)
