-- SPDX-License-Identifier: Apache-2.0
-- A program that forwards packets by maps: it goes by labels through tags, ARP and IP, learns addresses of stations, and
-- rewrites what goes out, checksums too.

local packets = require("help.packets")
local t = require("harness")

local b = BPF({ text = [[
#include <bcc/proto.h>

struct destination { u32 ip : 32; };
struct port { u32 index : 32; };
BPF_HASH(ports, struct destination, struct port, 4);
struct addresses { u32 own, behind; };
BPF_TABLE("array", u32, struct addresses, config, 1);
struct station { u32 ip; };
struct mac { u64 mac; };
BPF_HASH(stations, struct station, struct mac, 11);
struct device { u32 index; };
BPF_HASH(devices, struct station, struct device, 10);

SEC("tc") int forward(struct __sk_buff *skb)
{
    u8 *cursor = 0;
    int out = 0;

    if (skb->pkt_type == 0) {
        u32 zero = 0;
        struct addresses *now = config.lookup(&zero);
        if (!now)
            return 0xffff;
        struct station behind = { .ip = now->behind };
        struct device *device = devices.lookup(&behind);
        if (!device)
            return 0xffff;
        out = device->index;
    }

    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
    switch (ethernet->type) {
    case ETH_P_IP: goto ip;
    case ETH_P_ARP: goto arp;
    case ETH_P_8021Q: goto tag;
    default: goto EOP;
    }

tag: {
        struct dot1q_t *tag = cursor_advance(cursor, sizeof(*tag));
        switch (tag->type) {
        case ETH_P_IP: goto ip;
        case ETH_P_ARP: goto arp;
        default: goto EOP;
        }
    }

arp: {
        struct arp_t *arp = cursor_advance(cursor, sizeof(*arp));
        if (skb->pkt_type && arp->oper == 1) {
            struct station from = { .ip = arp->spa };
            struct mac mac = { .mac = arp->sha };
            stations.update(&from, &mac);
        }
        goto EOP;
    }

    struct ip_t *ip;
ip: {
        ip = cursor_advance(cursor, sizeof(*ip));
        switch (ip->nextp) {
        case IPPROTO_TCP: goto tcp;
        case IPPROTO_UDP: goto udp;
        default: goto EOP;
        }
    }

tcp: {
        struct tcp_t *tcp = cursor_advance(cursor, sizeof(*tcp));
        goto EOP;
    }

udp: {
        struct udp_t *udp = cursor_advance(cursor, sizeof(*udp));
        if (udp->dport != 5000)
            goto EOP;
        if (skb->pkt_type) {
            struct destination to = { .ip = ip->dst };
            struct port *port = ports.lookup(&to);
            if (port)
                return port->index;
        } else {
            u32 zero = 0;
            struct addresses *now = config.lookup(&zero);
            if (now) {
                struct station station = { .ip = now->own };
                struct mac *found = stations.lookup(&station);
                u64 from, to;
                if (!found)
                    goto EOP;
                from = found->mac;
                station.ip = now->behind;
                found = stations.lookup(&station);
                if (!found)
                    goto EOP;
                to = found->mac;
                ethernet->dst = to;
                ethernet->src = from;
                incr_cksum_l4(&udp->crc, ip->src, now->own, 1);
                incr_cksum_l4(&udp->crc, ip->dst, now->behind, 1);
                ip->src = now->own;
                ip->dst = now->behind;
            }
        }
    }
EOP:
    return out;
}
]] })

-- A number's bytes in the network's order.
local function bytes(number, count)
    local text = ""
    for _ = 1, count do
        text, number = string.char(number % 256) .. text, math.floor(number / 256)
    end
    return text
end

local checksum = packets.checksum

local OWN, BEHIND, SRC, DST = 0x0a000001, 0x0a000002, 0xc0a80001, 0xc0a80002
local OWN_MAC, BEHIND_MAC = 0x020000000001, 0x020000000002
local PAYLOAD = ("payload."):rep(4)

local function udp(src, dst, port)
    local segment = bytes(1234, 2) .. bytes(port, 2) .. bytes(8 + #PAYLOAD, 2) .. "\0\0" .. PAYLOAD
    local sum = checksum(bytes(src, 4) .. bytes(dst, 4) .. "\0\17" .. bytes(#segment, 2) .. segment)
    segment = segment:sub(1, 6) .. bytes(sum, 2) .. segment:sub(9)
    -- The header's own checksum is not looked at, and stays.
    return "\x45\0" .. bytes(20 + #segment, 2) .. "\0\1\0\0\x40\17\xab\xcd" .. bytes(src, 4) .. bytes(dst, 4) .. segment
end

local function ethernet(to, from, payload, tag)
    return bytes(to, 6) .. bytes(from, 6) .. (tag and "\x81\0\0\5" or "") .. payload
end

local function ip_packet(to, from, src, dst, port, tag)
    return ethernet(to, from, "\8\0" .. udp(src, dst, port), tag)
end

local function arp(ip, mac, tag)
    local body = "\0\1\8\0\6\4\0\1" .. bytes(mac, 6) .. bytes(ip, 4) .. ("\0"):rep(10) .. ("\0"):rep(20)
    return ethernet(0xffffffffffff, mac, "\8\6" .. body, tag)
end

-- What the program says of a packet that comes from outside (1: for everybody), or is for this host (0).
local function run(packet, kind)
    -- The kernel sees a packet for another or for everybody by its address.
    if kind ~= 0 then
        packet = "\xff\xff\xff\xff\xff\xff" .. packet:sub(7)
    else
        packet = "\0\0\0\0\0\0" .. packet:sub(7)
    end
    local result = b:test_run({ fn_name = "forward", data_in = packet })
    return result.retval, result.data_out
end

t.test("before anything is known, nothing goes out", function()
    t.equal(run(ip_packet(0, 0, SRC, DST, 5000), 0), 0xffff)
end)

t.test("stations are learned from ARP, tagged or not", function()
    run(arp(OWN, OWN_MAC), 1)
    run(arp(BEHIND, BEHIND_MAC, true), 1)
    t.equal(tonumber(b.stations[{ ip = OWN }].mac), OWN_MAC)
    t.equal(tonumber(b.stations[{ ip = BEHIND }].mac), BEHIND_MAC)
    t.equal(#b.stations, 2)
end)

t.test("what comes goes to the port of its destination", function()
    b.ports[{ ip = DST }] = { index = 7 }
    t.equal(run(ip_packet(0, 0, SRC, DST, 5000), 1), 7)
    t.equal(run(ip_packet(0, 0, SRC, DST, 5000, true), 1), 7)
    t.equal(run(ip_packet(0, 0, SRC, DST, 5001), 1), 0)
    t.equal(run(ip_packet(0, 0, SRC, DST + 1, 5000), 1), 0)
end)

t.test("what goes out is rewritten, and its checksum follows", function()
    b.config[0] = { own = OWN, behind = BEHIND }
    b.devices[{ ip = BEHIND }] = { index = 9 }
    local index, out = run(ip_packet(0, 0, SRC, DST, 5000), 0)
    t.equal(index, 9)
    t.equal(out, ip_packet(BEHIND_MAC, OWN_MAC, OWN, BEHIND, 5000))
    local other
    index, other = run(ip_packet(0, 0, SRC, DST, 5001), 0)
    t.equal(index, 9)
    t.equal(other, ip_packet(0, 0, SRC, DST, 5001))
end)
