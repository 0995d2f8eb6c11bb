-- SPDX-License-Identifier: Apache-2.0
-- Addresses are translated in packets that leave a device and in those that come: ARP, ICMP, TCP, UDP.

local t = require("harness")
local namespaces = require("help.namespaces")
local streams = require("help.streams")

local b = BPF({ text = [[
#include <bcc/proto.h>

struct pair { u32 to, from; };
struct translation { u32 to, from; u64 ip, arp; };
BPF_HASH(translations, struct pair, struct translation, 16);

int translate(struct __sk_buff *skb)
{
    u8 *cursor = 0;
    struct translation *found, new = {};
    struct pair pair;

    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
    switch (ethernet->type) {
    case ETH_P_IP: goto ip;
    case ETH_P_ARP: goto arp;
    default: goto EOP;
    }
arp: {
        struct arp_t *arp = cursor_advance(cursor, sizeof(*arp));
        pair.to = arp->tpa;
        pair.from = arp->spa;
        found = translations.lookup(&pair);
        if (found) {
            new = *found;
            arp->tpa = new.to;
            arp->spa = new.from;
            lock_xadd(&found->arp, 1);
        }
        goto EOP;
    }
ip: {
        struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
        pair.to = ip->dst;
        pair.from = ip->src;
        found = translations.lookup(&pair);
        if (!found)
            goto EOP;
        new = *found;
        incr_cksum_l3(&ip->hchecksum, pair.to, new.to);
        incr_cksum_l3(&ip->hchecksum, pair.from, new.from);
        ip->dst = new.to;
        ip->src = new.from;
        lock_xadd(&found->ip, 1);
        switch (ip->nextp) {
        case IPPROTO_TCP: goto tcp;
        case IPPROTO_UDP: goto udp;
        default: goto EOP;
        }
    }
tcp: {
        struct tcp_t *tcp = cursor_advance(cursor, sizeof(*tcp));
        incr_cksum_l4(&tcp->cksum, pair.to, new.to, 1);
        incr_cksum_l4(&tcp->cksum, pair.from, new.from, 1);
        goto EOP;
    }
udp: {
        struct udp_t *udp = cursor_advance(cursor, sizeof(*udp));
        incr_cksum_l4(&udp->crc, pair.to, new.to, 1);
        incr_cksum_l4(&udp->crc, pair.from, new.from, 1);
    }
EOP:
    return TC_ACT_OK;
}
]] })

local function number(address)
    local value = 0
    for byte in address:gmatch("%d+") do
        value = value * 256 + tonumber(byte)
    end
    return value
end

local function pair(to, from)
    return { to = number(to), from = number(from) }
end

-- Inside, the two are 192.168.77.x; outside, they are 172.31.77.x.
local INSIDE = { here = "192.168.77.2", there = "192.168.77.1" }
local OUTSIDE = { here = "172.31.77.2", there = "172.31.77.1" }
local leaving, coming = pair(INSIDE.there, INSIDE.here), pair(OUTSIDE.here, OUTSIDE.there)

t.test_unless(namespaces.lacking(), "pings and connections to addresses that nobody has", function()
    namespaces.test(function()
        namespaces.make("inside")
        namespaces.make("outside")
        namespaces.join({ at = "inside", name = "eth0", address = INSIDE.here .. "/24" }, { at = "outside", name = "eth0", address = OUTSIDE.there .. "/24" })
        b.translations[leaving] = pair(OUTSIDE.there, OUTSIDE.here)
        b.translations[coming] = pair(INSIDE.here, INSIDE.there)
        namespaces.within("inside", function()
            b:load_func("translate", BPF.SCHED_CLS)
            b:attach_tc({ fn_name = "translate", dev = "eth0", direction = "ingress" })
            b:attach_tc({ fn_name = "translate", dev = "eth0", direction = "egress" })
        end)
        namespaces.ping("inside", INSIDE.there, 2)
        for _, key in ipairs({ leaving, coming }) do
            local found = b.translations[key]
            t.equal(found.ip, 2ULL)
            t.equal(found.arp >= 1, true)
        end
        t.equal(streams.send("inside", "outside", INSIDE.there, 300000), OUTSIDE.here)
        t.equal(streams.send("outside", "inside", OUTSIDE.here, 300000), INSIDE.there)
        namespaces.within("inside", function() b:cleanup() end)
    end)
end)
