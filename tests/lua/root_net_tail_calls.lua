-- SPDX-License-Identifier: Apache-2.0
-- A parser of packets in stages: each is a program of its own, and calls the next through a program array.

local t = require("harness")
local namespaces = require("help.namespaces")
local net = require("help.sockets")

local b = BPF({ text = [[
#include <bcc/proto.h>

enum stage { END = 1, ETHERNET, ARP, IP };
BPF_PROG_ARRAY(stages, 8);
BPF_ARRAY(seen, u64, 8);

int ethernet(struct __sk_buff *skb)
{
    seen.atomic_increment(ETHERNET);
    switch (bpf_dext_pkt(skb, 12, 0, 16)) {
    case ETH_P_IP: stages.call(skb, IP); break;
    case ETH_P_ARP: stages.call(skb, ARP); break;
    }
    stages.call(skb, END);
    return TC_ACT_OK;
}

int arp(struct __sk_buff *skb)
{
    seen.atomic_increment(ARP);
    stages.call(skb, END);
    return TC_ACT_OK;
}

int ip(struct __sk_buff *skb)
{
    seen.atomic_increment(IP);
    stages.call(skb, END);
    return TC_ACT_OK;
}

int end(struct __sk_buff *skb)
{
    seen.atomic_increment(END);
    return TC_ACT_OK;
}
]] })

local END, ETHERNET, ARP, IP = 1, 2, 3, 4

local function seen(stage)
    return tonumber(b.seen[stage])
end

local function address(...)
    local value = net.address(5000)
    for i, byte in ipairs({ ... }) do
        value.address[i - 1] = byte
    end
    return value
end

t.test_unless(namespaces.lacking(), "each stage sees the packets that are for it", function()
    namespaces.test(function()
        namespaces.make("one")
        namespaces.make("two")
        namespaces.join({ at = "one", name = "eth0", address = "10.99.1.1/24" }, { at = "two", name = "eth0", address = "10.99.1.2/24" })
        local receiver = namespaces.within("two", function()
            local fd = net.C.socket(2, 2, 0) -- AF_INET, SOCK_DGRAM
            assert(net.C.bind(fd, address(0, 0, 0, 0), 16) == 0, "bind")
            return fd
        end)
        namespaces.within("one", function()
            b:load_func("ethernet", BPF.SCHED_CLS)
            for stage, name in pairs({ [ARP] = "arp", [IP] = "ip", [END] = "end" }) do
                b.stages[stage] = b:load_func(name, BPF.SCHED_CLS)
            end
            b:attach_tc({ fn_name = "ethernet", dev = "eth0", direction = "egress" })
            local socket = net.C.socket(2, 2, 0)
            assert(net.C.connect(socket, address(10, 99, 1, 2), 16) == 0, "connect")
            t.equal(net.send(socket, ("a"):rep(10)), 10)
            net.until_true("the datagram leaves, once the address is known", function() return seen(IP) > 0 end)
            t.equal(seen(IP), 1)
            t.equal(seen(ARP) >= 1, true)
            t.equal(seen(END), seen(ETHERNET))
            t.equal(seen(END), seen(IP) + seen(ARP))
            -- A stage that is gone is not called: the one that would call it goes on.
            b.stages[IP] = nil
            local ended = seen(END)
            t.equal(net.send(socket, ("b"):rep(10)), 10)
            net.until_true("the next one goes to the end", function() return seen(END) > ended end)
            t.equal(seen(IP), 1)
            net.C.close(socket)
            b:cleanup()
        end)
        t.equal(net.recv(receiver), ("a"):rep(10))
        t.equal(net.recv(receiver), ("b"):rep(10))
        net.C.close(receiver)
    end)
end)
