-- SPDX-License-Identifier: Apache-2.0
-- Flows counted by the filter of a raw socket, of pings between two network namespaces; then the map of them by hand.

local t = require("harness")
local namespaces = require("help.namespaces")

local b = BPF({ text = [[
#include <bcc/proto.h>

struct flow { u32 high, low; };
struct packets { u64 up, down; };
BPF_HASH(flows, struct flow, struct packets, 64);

int count(struct __sk_buff *skb)
{
    u8 *cursor = 0;
    struct packets none = {}, *packets;
    struct flow flow;
    int up;

    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
    switch (ethernet->type) {
    case ETH_P_8021Q: goto vlan;
    case ETH_P_IP: goto ip;
    default: goto EOP;
    }
vlan: {
        struct dot1q_t *tag = cursor_advance(cursor, sizeof(*tag));
        if (tag->type != ETH_P_IP)
            goto EOP;
    }
ip: {
        struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
        up = ip->dst > ip->src;
        flow.high = up ? ip->dst : ip->src;
        flow.low = up ? ip->src : ip->dst;
    }
    packets = flows.lookup_or_try_init(&flow, &none);
    if (packets) {
        lock_xadd(&packets->up, up);
        lock_xadd(&packets->down, !up);
    }
EOP:
    return 0;
}
]] })

local flow = { high = 0x0a630102, low = 0x0a630101 }

t.test_unless(namespaces.lacking(), "a hundred pings and their answers are counted by direction", function()
    namespaces.test(function()
        namespaces.make("one")
        namespaces.make("two")
        namespaces.join({ at = "one", name = "eth0", address = "10.99.1.1/24" }, { at = "two", name = "eth0", address = "10.99.1.2/24" })
        namespaces.within("one", function()
            BPF.attach_raw_socket(b:load_func("count", BPF.SOCKET_FILTER), "eth0")
        end)
        namespaces.ping("one", "10.99.1.2", 100)
    end)
    local packets = b.flows[flow]
    t.equal(packets.up, 100ULL)
    t.equal(packets.down, 100ULL)
    t.equal(#b.flows, 1)
end)

t.test("an element is deleted once, and set again", function()
    b.flows[flow] = { up = 7, down = 8 }
    local packets = b.flows[flow]
    t.equal(b.flows:delete(flow), true)
    t.equal(b.flows[flow], nil)
    t.equal(b.flows:delete(flow), false)
    b.flows[b.flows:Key(flow)] = packets
    t.equal(b.flows[flow].down, 8ULL)
    b.flows:clear()
    t.equal(#b.flows, 0)
end)

t.test("a key of zeros is a key like any other", function()
    -- Takes an element out, whichever comes first.
    local function take()
        for key, value in b.flows:items() do
            b.flows[key] = nil
            return key, value
        end
    end
    b.flows[b.flows:Key()] = b.flows:Leaf({ up = 100, down = 200 })
    local key, value = take()
    t.equal(key:tuple(), "{high = 0, low = 0}")
    t.equal(value.up, 100ULL)
    b.flows[{ high = 10, low = 20 }] = { up = 300, down = 400 }
    t.equal(b.flows[b.flows:Key()], nil)
    key, value = take()
    t.equal(value:tuple(), "{up = 300, down = 400}")
    t.equal(take(), nil)
    for low = 0, 3 do
        b.flows[{ low = low }] = value
    end
    t.equal(#b.flows, 4)
end)
