-- SPDX-License-Identifier: Apache-2.0
-- The packet dialect and the checksums: what a program on a packet given to it leaves, against checksums computed here.

local t = require("harness")
local packets = require("help.packets")
local be16, checksum = packets.be16, packets.checksum

local function ip(source, target, protocol, payload)
    local head = "\69\0" .. be16(20 + #payload) .. "\18\52\0\0\64" .. string.char(protocol) .. "\0\0" .. source .. target
    return packets.put(head, 10, be16(checksum(head))) .. payload
end

local function pseudo(source, target, protocol, length)
    return source .. target .. "\0" .. string.char(protocol) .. be16(length)
end

local function tcp(source, target, payload)
    local segment = be16(1111) .. be16(2222) .. "\0\0\0\1\0\0\0\2\80\24" .. be16(4096) .. "\0\0\0\0" .. payload
    local sum = checksum(pseudo(source, target, 6, #segment) .. segment)
    return packets.put(segment, 16, be16(sum))
end

local ETHERNET = "\2\0\0\0\0\1" .. "\2\0\0\0\0\2" .. "\8\0"
local HERE, THERE, OTHER = "\10\0\0\1", "\10\0\0\2", "\192\168\77\9"

t.test("addresses exchanged, a port changed, both checksums right", function()
    local b = BPF({ text = [[
#include <bcc/proto.h>
int rewrite(struct __sk_buff *skb) {
	u8 *cursor = 0;
	struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
	struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
	struct tcp_t *tcp = cursor_advance(cursor, sizeof(*tcp));
	u32 old_src = ip->src, new_src = 0xc0a84d09;
	u16 old_port = tcp->dst_port, new_port = 8080;

	if (ethernet->type != 0x0800 || ip->nextp != 6)
		return 2;
	/* The address counts for both sums, the port for TCP's alone: flags are the width, 0x10 that of the pseudo header. */
	incr_cksum_l4(&tcp->cksum, old_src, new_src, 1);
	incr_cksum_l4(&tcp->cksum, old_port, new_port, 0);
	incr_cksum_l3(&ip->hchecksum, old_src, new_src);
	ip->src = new_src;
	tcp->dst_port = new_port;
	return 0;
}]] })
    b:load_func("rewrite", BPF.SCHED_CLS)
    local before = ETHERNET .. ip(HERE, THERE, 6, tcp(HERE, THERE, "hello"))
    local run = b:test_run({ fn_name = "rewrite", data_in = before })
    t.equal(run.retval, 0)
    local after = run.data_out
    t.equal(after:sub(27, 30), OTHER)
    t.equal(after:sub(37, 38), be16(8080))
    -- A header with its right sum in it sums up to nothing.
    t.equal(checksum(after:sub(15, 34)), 0)
    local segment = after:sub(35)
    t.equal(checksum(pseudo(OTHER, THERE, 6, #segment) .. segment), 0)
    t.equal(segment:sub(21), "hello")
    b:cleanup()
end)

t.test("bits inside bytes, of headers that do not begin at an even place", function()
    local b = BPF({ text = [[
#include <bcc/proto.h>
BPF_ARRAY(got, u64, 16);
#define SET(n, v) do { u64 v_ = (v); got.update(&(int){n}, &v_); } while (0)
int look(struct __sk_buff *skb) {
	u8 *cursor = 0;
	struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
	struct dot1q_t *tag = cursor_advance(cursor, sizeof(*tag));
	struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
	struct udp_t *udp = cursor_advance(cursor, sizeof(*udp));
	struct vxlan_t *vxlan = cursor_advance(cursor, sizeof(*vxlan));

	SET(0, tag->pri); SET(1, tag->cfi); SET(2, tag->vlanid); SET(3, ip->hlen); SET(4, ip->ver);
	SET(5, ip->df); SET(6, ip->foffset); SET(7, vxlan->key); SET(8, vxlan->iflag);
	SET(9, ethernet->src); SET(10, udp->length);
	ip->ttl = ip->ttl - 1;
	tag->vlanid = 0x123;
	vxlan->key = vxlan->key + 1;
	ip->df = 0;
	return 7;
}]] })
    b:load_func("look", BPF.SCHED_CLS)
    local header = packets.put(ip(HERE, THERE, 17, be16(4789) .. be16(4789) .. be16(16) .. "\0\0" .. "\8\0\0\0\1\2\3\0"), 6, "\64\5")
    local before = ETHERNET:sub(1, 12) .. "\129\0" .. "\190\239\8\0" .. header
    -- The kernel takes the tag out of the packet and keeps it aside: the program would read what is behind it. One of another
    -- kind stays.
    before = packets.put(before, 12, "\136\181")
    local run = b:test_run({ fn_name = "look", data_in = before })
    t.equal(run.retval, 7)
    local wanted = { [0] = 5, 1, 0xeef, 5, 4, 1, 5, 0x010203, 1, 0x020000000002, 16 }
    for i = 0, 10 do
        t.equal(tonumber(b.got[i]), wanted[i])
    end
    local out = run.data_out
    t.equal(out:sub(15, 16), "\177\35")
    t.equal(out:byte(27), 63)
    t.equal(out:sub(25, 26), "\0\5")
    t.equal(out:sub(47, 54), "\8\0\0\0\1\2\4\0")
    -- Nothing else has changed.
    local same = packets.put(packets.put(packets.put(packets.put(before, 14, "\177\35"), 26, "\63"), 24, "\0\5"), 46, "\8\0\0\0\1\2\4\0")
    t.equal(out, same)
    b:cleanup()
end)

t.test("loads of the network's order, at odd places", function()
    local b = BPF({ text = [[
BPF_ARRAY(got, u64, 8);
#define SET(n, v) do { u64 v_ = (v); got.update(&(int){n}, &v_); } while (0)
int look(struct __sk_buff *skb) {
	SET(0, load_byte(skb, 1)); SET(1, load_half(skb, 3)); SET(2, load_word(skb, 5)); SET(3, load_dword(skb, 15));
	return skb->len;
}]] })
    b:load_func("look", BPF.SOCKET_FILTER)
    local bytes = {}
    for i = 0, 63 do
        bytes[i + 1] = string.char(i * 3 % 256)
    end
    local data = table.concat(bytes)
    b:test_run({ fn_name = "look", data_in = data })
    -- The program of a socket sees what is behind the Ethernet header.
    local seen = data:sub(15)
    local function number(at, size)
        local value = 0ULL
        for i = at + 1, at + size do
            value = value * 256 + seen:byte(i)
        end
        return value
    end
    t.equal(b.got[0], number(1, 1))
    t.equal(b.got[1], number(3, 2))
    t.equal(b.got[2], number(5, 4))
    t.equal(b.got[3], number(15, 8))
    b:cleanup()
end)
