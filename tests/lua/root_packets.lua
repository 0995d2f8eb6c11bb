-- SPDX-License-Identifier: Apache-2.0
-- bcc's packet dialect on packets of our own: what fields are read as, and what the packet is afterwards.

local packets = require("help.packets")
local t = require("harness")

local be16, checksum, put = packets.be16, packets.checksum, packets.put

local function be32(n)
    return be16(math.floor(n / 65536)) .. be16(n % 65536)
end

local MACS = "\1\2\3\4\5\6\11\12\13\14\15\16"
local SRC, DST = 0x0a000001, 0xc0a80a14

local function ip(proto, payload, src, dst)
    local header = "\x45\x08" .. be16(20 + #payload) .. "\xbe\xef\x40\x00\x40" .. string.char(proto) .. "\0\0" .. be32(src or SRC) .. be32(dst or DST)
    return put(header, 10, be16(checksum(header))) .. payload
end

local function tcp(payload, src, dst)
    local segment = be16(43210) .. be16(80) .. be32(0x11223344) .. be32(0x55667788) .. "\x50\x9a\x20\x00\0\0\0\7" .. payload
    local pseudo = be32(src or SRC) .. be32(dst or DST) .. "\0\6" .. be16(#segment)
    return put(segment, 16, be16(checksum(pseudo .. segment)))
end

local function ethernet(payload, type)
    return MACS .. be16(type or 0x0800) .. payload
end

local function values(b, count)
    local found = {}
    for i = 0, count - 1 do
        found[#found + 1] = tostring(b.got[i]):gsub("ULL", "")
    end
    return table.concat(found, " ")
end

local HEAD = [[
#include <bcc/proto.h>
BPF_ARRAY(got, u64, 32);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
]]

t.test("every field is read in the host's order", function()
    local b = BPF({
        text = HEAD .. [[
        #define PORT(header, which) ((header)->which##_port)
        static u64 flags(struct tcp_t *tcp)
        {
            return tcp->flag_fin | tcp->flag_syn << 1 | tcp->flag_rst << 2 | tcp->flag_psh << 3 | tcp->flag_ack << 4 |
                   tcp->flag_urg << 5 | tcp->flag_ece << 6 | tcp->flag_cwr << 7;
        }
        SEC("tc") int look(struct __sk_buff *packet)
        {
            u8 *cursor = 0;
            struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
            if (!(ethernet->type == 0x800)) goto EOP;
            SET(0, ethernet->dst); SET(1, ethernet->src);
            struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
            SET(2, ip->ver); SET(3, ip->hlen); SET(4, ip->tos); SET(5, ip->tlen); SET(6, ip->identification);
            SET(7, ip->df); SET(8, ip->mf); SET(9, ip->foffset); SET(10, ip->ttl); SET(11, ip->src); SET(12, ip->dst);
            SET(13, (u64)&ip->hchecksum);
            switch (ip->nextp) {
                case 6: goto tcp;
                default: goto EOP;
            }
        tcp: {
            struct tcp_t *tcp = cursor_advance(cursor, sizeof(*tcp));
            SET(14, PORT(tcp, src)); SET(15, PORT(tcp, dst)); SET(16, tcp->seq_num); SET(17, tcp->ack_num);
            SET(18, tcp->offset); SET(19, flags(tcp)); SET(20, tcp->rcv_wnd); SET(21, tcp->urg_ptr);
            SET(22, load_byte(packet, (u64)cursor)); SET(23, load_half(packet, (u64)cursor));
            SET(24, load_dword(packet, (u64)cursor)); SET(25, bpf_dext_pkt(packet, (u64)ip, 4, 4));
            if (tcp->flag_ack && !tcp->flag_fin && ip->src != ip->dst) return 7;
        }
        EOP:
            return 0;
        }]],
    })
    local result = b:test_run({ fn_name = "look", data_in = ethernet(ip(6, tcp("GET /one"))) })
    t.equal(result.retval, 7)
    local wanted = "1108152157446 12146386538256 4 5 8 48 48879 1 0 0 64 167772161 3232238100 24 43210 80 287454020 "
        .. "1432778632 5 154 8192 7 71 18245 5135603447297437285 5"
    t.equal(values(b, 26), wanted)
    t.equal(b:test_run({ fn_name = "look", data_in = ethernet(("x"):rep(60), 0x86dd) }).retval, 0)
end)

t.test("assignments change the packet, and checksums follow", function()
    local b = BPF({
        text = HEAD .. [[
        SEC("tc") int nat(struct __sk_buff *anything)
        {
            u8 *cursor = 0;
            struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
            struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
            u32 from = ip->src, to = 0x0a0a0a0a;
            if (ip->nextp != IPPROTO_TCP) goto EOP;
            struct tcp_t *tcp = cursor_advance(cursor, sizeof(*tcp));
            u16 port = tcp->dst_port, new_port = 8080;
            incr_cksum_l4(&tcp->cksum, from, to, 1);
            incr_cksum_l3(&ip->hchecksum, from, to);
            incr_cksum_l4(&tcp->cksum, port, new_port, 0);
            ip->src = to;
            tcp->dst_port = new_port;
        EOP:
            return 0;
        }
        SEC("tc") int turn(struct __sk_buff *skb)
        {
            u8 *cursor = 0;
            struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
            struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
            u64 mac = ethernet->src;
            ethernet->src = ethernet->dst;
            ethernet->dst = mac;
            ip->src = ip->dst;
            ip->ttl--;
            ip->df = 0;
            ip->mf |= 1;
            ip->foffset = 0x1abc;
            ip->ver = 6;
            ip->identification += 2;
            return 0;
        }]],
    })
    local packet = ethernet(ip(6, tcp("some payload")))
    local out = b:test_run({ fn_name = "nat", data_in = packet }).data_out
    local wanted = ethernet(ip(6, put(tcp("some payload", 0x0a0a0a0a), 2, be16(8080)), 0x0a0a0a0a))
    -- The segment's checksum, made anew for its new port.
    local segment = put(wanted:sub(35), 16, "\0\0")
    local pseudo = be32(0x0a0a0a0a) .. be32(DST) .. "\0\6" .. be16(#segment)
    t.equal(out, wanted:sub(1, 34) .. put(segment, 16, be16(checksum(pseudo .. segment))))

    out = b:test_run({ fn_name = "turn", data_in = packet }).data_out
    wanted = packet:sub(7, 12) .. packet:sub(1, 6) .. packet:sub(13)
    wanted = put(put(wanted, 14, "\x65"), 18, be16(0xbef1))
    wanted = put(put(wanted, 20, be16(0x2000 + 0x1abc)), 22, "\x3f")
    t.equal(out, put(wanted, 26, be32(DST)))
end)

t.test("in functions that are not inlined, in XDP, and in headers of one's own", function()
    local b = BPF({
        text = HEAD .. [[
        struct own_t { u32 kind : 3, rest : 29; u16 words[3]; u8 tail; } BPF_PACKET_HEADER;
        static noinline int apart(struct __sk_buff *skb, int shift)
        {
            struct ip_t *ip = (struct ip_t *)(u64)shift;
            ip->tos = ip->tos + 1;
            return ip->ttl;
        }
        SEC("tc") int call(struct __sk_buff *s) { return apart(s, s->len > 20 ? 14 : 0); }
        SEC("xdp") int express(struct xdp_md *x)
        {
            u8 *cursor = 0;
            struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
            struct own_t *own = cursor_advance(cursor, sizeof(*own)), copy = { .kind = 5, .tail = 9 };
            u8 bytes[6];
            int i = own->words[1] & 1;

            __builtin_memcpy(bytes, own->words, sizeof(bytes));
            SET(0, ethernet->dst); SET(1, own->kind); SET(2, own->rest); SET(3, own->words[2]); SET(4, own->words[i]);
            SET(5, own->tail); SET(6, copy.kind + copy.tail); SET(7, bytes[5]); SET(8, sizeof(copy));
            own->rest = 1; own->words[i] = 0xabcd; own->words[2] = own->tail;
            return XDP_PASS;
        }]],
    })
    local packet = ethernet(ip(6, tcp("")))
    local result = b:test_run({ fn_name = "call", data_in = packet })
    t.equal(result.retval, 64)
    t.equal(result.data_out, put(packet, 15, "\9"))
    packet = ethernet("\xe0\x00\x00\x07\0\1\0\3\xff\xfe\x42" .. ("\0"):rep(30))
    result = b:test_run({ fn_name = "express", data_in = packet })
    t.equal(values(b, 9), "1108152157446 7 7 65534 3 66 14 254 11")
    t.equal(result.data_out, put(packet, 14, "\xe0\0\0\1\0\1\xab\xcd\0\x42\x42"))
end)

t.test("a filter of a socket sees the packets of loopback", function()
    local ffi = require("ffi")
    ffi.cdef([[
    int socket(int domain, int type, int protocol);
    int setsockopt(int fd, int level, int name, const void *value, unsigned length);
    long recv(int fd, void *buffer, size_t size, int flags);
    long sendto(int fd, const void *buffer, size_t size, int flags, const void *address, unsigned length);
    int close(int fd);
    ]])
    local b = BPF({
        text = HEAD .. [[
        int filter(struct __sk_buff *skb)
        {
            u8 *cursor = 0;
            struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
            if (ethernet->type != ETH_P_IP) goto DROP;
            struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
            if (ip->nextp != IPPROTO_UDP) goto DROP;
            struct udp_t *udp = cursor_advance(cursor, sizeof(*udp));
            if (udp->dport != 41414) goto DROP;
            SET(0, udp->length); SET(1, ip->dst);
            return -1;
        DROP:
            return 0;
        }]],
    })
    local fn = b:load_func("filter", BPF.SOCKET_FILTER)
    local all = ffi.C.socket(17, 3, bit.rshift(bit.bswap(3), 16)) -- AF_PACKET, SOCK_RAW, ETH_P_ALL
    assert(all >= 0, "no raw socket")
    local fd = ffi.new("int[1]", fn.fd)
    t.equal(ffi.C.setsockopt(all, 1, 50, fd, 4), 0) -- SO_ATTACH_BPF
    local buffer = ffi.new("char[2048]")
    while ffi.C.recv(all, buffer, 2048, 0x40) >= 0 do -- MSG_DONTWAIT: what came before the filter
    end
    local from = ffi.C.socket(2, 2, 0)
    local address = ffi.new("char[16]", "\2\0" .. be16(41414) .. "\127\0\0\1")
    local other = ffi.new("char[16]", "\2\0" .. be16(41415) .. "\127\0\0\1")
    ffi.C.sendto(from, "other", 5, 0, other, 16)
    ffi.C.sendto(from, "hello packet", 12, 0, address, 16)
    local size = tonumber(ffi.C.recv(all, buffer, 2048, 0))
    t.equal(ffi.string(buffer + size - 12, 12), "hello packet")
    t.equal(values(b, 2), "20 2130706433")
    ffi.C.close(all)
    ffi.C.close(from)
end)

t.test("misuse is told at its line", function()
    local err = t.fails(BPF, { text = '#include <bcc/proto.h>\nint f(struct pt_regs *ctx) {\n struct ip_t *ip = 0;\n return ip->ttl;\n}' })
    t.contains(err, "a packet's field is used in `f`, which gets no packet")
    t.contains(err, "return ip->ttl;")
    local either = "struct ip_t copy = {}, *ip = skb->len > 99 ? &copy : cursor_advance(cursor, sizeof(*ip));\n return ip->ttl;"
    err = t.fails(BPF, {
        text = '#include <bcc/proto.h>\nSEC("tc") int f(struct __sk_buff *skb) {\n u8 *cursor = (u8 *)14;\n ' .. either .. "\n}",
    })
    t.contains(err, "a packet header is used here that may lie in the packet or in memory")
    t.contains(err, "return ip->ttl;")
end)
