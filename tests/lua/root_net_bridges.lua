-- SPDX-License-Identifier: Apache-2.0
-- Two hosts in networks of their own and a router between them. What joins them is programs: a bridge written in C, in
-- stages that call each other through a program array; and a relay to bridges of the kernel's.

local t = require("harness")
local namespaces = require("help.namespaces")
local streams = require("help.streams")
local lacking = namespaces.lacking()

local HOSTS = {
    { name = "host1", address = "10.99.1.1", network = "10.99.1.0/24", gateway = "10.99.1.254" },
    { name = "host2", address = "10.99.2.1", network = "10.99.2.0/24", gateway = "10.99.2.254" },
}

-- The hosts, and the router between their networks; gives the devices here that lead to each, by pairs.
local function hosts_and_router()
    namespaces.make("router")
    namespaces.exec("router", "sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'")
    local ports = {}
    for i, host in ipairs(HOSTS) do
        namespaces.make(host.name)
        local to_host = namespaces.join({}, { at = host.name, name = "eth0", address = host.address .. "/24" })
        local to_router = namespaces.join({}, { at = "router", name = "eth" .. i, address = host.gateway .. "/24" })
        ports[i] = { host = to_host, router = to_router }
    end
    namespaces.exec("host1", ("ip route add %s via %s"):format(HOSTS[2].network, HOSTS[1].gateway))
    namespaces.exec("host2", ("ip route add %s via %s"):format(HOSTS[1].network, HOSTS[2].gateway))
    return ports
end

local COUNTS = [[
enum { ICMP, ARP, TCP, OTHER };
BPF_ARRAY(counts, u64, 4);

static __always_inline void count(struct __sk_buff *skb)
{
    u8 *cursor = 0;
    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
    int kind = OTHER;

    if (ethernet->type == ETH_P_ARP) {
        kind = ARP;
    } else if (ethernet->type == ETH_P_IP) {
        struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
        kind = ip->nextp == IPPROTO_ICMP ? ICMP : ip->nextp == IPPROTO_TCP ? TCP : OTHER;
    }
    counts.atomic_increment(kind);
}
]]

local function attach(b, ...)
    for _, device in ipairs({ ... }) do
        b:attach_tc({ fn_name = "come_in", dev = device, direction = "ingress" })
    end
end

-- Pings and a megabyte from one host to the other; each packet is counted at as many places.
local function check(counts, places)
    local PINGS = 3
    namespaces.ping("host1", HOSTS[2].address, PINGS)
    t.equal(tonumber(counts[0]), 2 * PINGS * places)
    -- Each host and the router ask for each other once at least.
    t.equal(tonumber(counts[1]) >= 4, true)
    t.equal(streams.send("host1", "host2", HOSTS[2].address, 1000000), HOSTS[1].address)
    t.equal(tonumber(counts[2]) > 15, true)
end

t.test_unless(lacking, "a bridge of programs that call each other", function()
    local b = BPF({ text = "#include <bcc/proto.h>\n" .. COUNTS .. [[
enum { FORWARD = 1, DELIVER = 2 };
BPF_PROG_ARRAY(stages, 4);

struct port { u32 bridge, is_router; };
BPF_HASH(ports, u32, struct port, 16);     // by the number of a device
struct station { u64 mac; u32 bridge, padding; };
BPF_HASH(stations, struct station, u32, 64); // the device behind which a station was seen
struct side { u32 bridge, is_router; };
BPF_HASH(devices, struct side, u32, 16);   // where a bridge sends what is for everybody

int come_in(struct __sk_buff *skb)
{
    u32 device = skb->ingress_ifindex;
    struct port *port = ports.lookup(&device);

    if (!port)
        return TC_ACT_SHOT;
    skb->cb[0] = port->bridge;
    skb->cb[1] = port->is_router;
    stages.call(skb, FORWARD);
    return TC_ACT_SHOT;
}

// Learns who is where, and looks for the one that the packet is for.
int forward(struct __sk_buff *skb)
{
    u8 *cursor = 0;
    u32 device = skb->ingress_ifindex, bridge = skb->cb[0], *found;
    struct side across = { .bridge = bridge, .is_router = !skb->cb[1] };

    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
    struct station from = { .mac = ethernet->src, .bridge = bridge }, to = { .mac = ethernet->dst, .bridge = bridge };

    stations.update(&from, &device);
    found = to.mac == 0xffffffffffffULL ? devices.lookup(&across) : stations.lookup(&to);
    if (!found)
        return TC_ACT_SHOT;
    skb->cb[2] = *found;
    stages.call(skb, DELIVER);
    return TC_ACT_SHOT;
}

int deliver(struct __sk_buff *skb)
{
    count(skb);
    bpf_clone_redirect(skb, skb->cb[2], 0);
    return TC_ACT_SHOT;
}
]] })
    namespaces.test(function()
        b.stages[1] = b:load_func("forward", BPF.SCHED_CLS)
        b.stages[2] = b:load_func("deliver", BPF.SCHED_CLS)
        for bridge, port in ipairs(hosts_and_router()) do
            for is_router, device in pairs({ [0] = port.host, port.router }) do
                b.ports[namespaces.index(device)] = { bridge = bridge, is_router = is_router }
                b.devices[{ bridge = bridge, is_router = is_router }] = namespaces.index(device)
            end
            attach(b, port.host, port.router)
        end
        -- Each packet passes both bridges.
        check(b.counts, 2)
        for bridge, host in ipairs(HOSTS) do
            local station = { mac = namespaces.mac("eth0", host.name), bridge = bridge }
            t.equal(b.stations[station] ~= nil, true)
        end
        t.equal(#b.stations, 4)
        b:cleanup()
    end)
end)

t.test_unless(lacking, "a relay between hosts and bridges of the kernel", function()
    local b = BPF({ text = "#include <bcc/proto.h>\n" .. COUNTS .. [[
BPF_HASH(partners, u32, u32, 16);

int come_in(struct __sk_buff *skb)
{
    u32 device = skb->ingress_ifindex, *partner = partners.lookup(&device);

    if (partner) {
        count(skb);
        bpf_clone_redirect(skb, *partner, 0);
    }
    return TC_ACT_SHOT;
}
]] })
    namespaces.test(function()
        for _, port in ipairs(hosts_and_router()) do
            local outer, inner = namespaces.join({}, {})
            namespaces.bridge(inner, port.router)
            b.partners[namespaces.index(port.host)] = namespaces.index(outer)
            b.partners[namespaces.index(outer)] = namespaces.index(port.host)
            attach(b, port.host, outer)
        end
        check(b.counts, 2)
        b:cleanup()
    end)
end)
