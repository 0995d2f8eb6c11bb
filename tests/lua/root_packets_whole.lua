-- SPDX-License-Identifier: Apache-2.0
-- Packet headers by value: copied out of the packet and into it, handed to functions, kept in maps; in traffic control,
-- XDP and socket filters. What cannot be copied is an error and never a header of zeros.

local t = require("harness")

local ETHERNET = "\1\2\3\4\5\6\11\12\13\14\15\16\8\0"
local IP = "\x45\x08\0\x54\xbe\xef\x5a\xbc\x40\6\x12\x34\10\0\0\1\xc0\xa8\x0a\x14"
local TCP = "\168\202\0\80\x11\x22\x33\x44\x55\x66\x77\x88\x50\x9a\x20\x00\xab\xcd\0\7"
local PACKET = ETHERNET .. IP .. TCP .. "payload of the packet"

-- What each field of those headers is.
local FIELDS = {
    { "ip", "ver", 4 }, { "ip", "hlen", 5 }, { "ip", "tos", 8 }, { "ip", "tlen", 84 }, { "ip", "identification", 0xbeef },
    { "ip", "df", 1 }, { "ip", "mf", 0 }, { "ip", "foffset", 0x1abc }, { "ip", "ttl", 64 }, { "ip", "nextp", 6 },
    { "ip", "hchecksum", 0x1234 }, { "ip", "src", 0x0a000001 }, { "ip", "dst", 0xc0a80a14 },
    { "ethernet", "dst", 0x010203040506 }, { "ethernet", "src", 0x0b0c0d0e0f10 }, { "ethernet", "type", 0x800 },
    { "tcp", "src_port", 43210 }, { "tcp", "dst_port", 80 }, { "tcp", "seq_num", 0x11223344 }, { "tcp", "ack_num", 0x55667788 },
    { "tcp", "offset", 5 }, { "tcp", "flag_cwr", 1 }, { "tcp", "flag_ece", 0 }, { "tcp", "flag_ack", 1 }, { "tcp", "flag_psh", 1 },
    { "tcp", "flag_fin", 0 }, { "tcp", "rcv_wnd", 0x2000 }, { "tcp", "cksum", 0xabcd }, { "tcp", "urg_ptr", 7 },
}

local HEAD = [[
#include <bcc/proto.h>
BPF_ARRAY(got, u64, 64);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define HEADERS \
    u8 *cursor = 0; \
    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet)); \
    struct ip_t *ip = cursor_advance(cursor, sizeof(*ip)); \
    struct tcp_t *tcp = cursor_advance(cursor, sizeof(*tcp));
]]
local KINDS = {
    ["traffic control"] = { "tc", "__sk_buff" },
    XDP = { "xdp", "xdp_md" },
    ["a socket filter"] = { "socket", "__sk_buff" },
}

-- An object with a program of this body for each kind.
local function open(outside, body)
    local text = { HEAD, outside }
    for _, kind in pairs(KINDS) do
        local section, context = unpack(kind)
        text[#text + 1] = ('SEC("%s") int in_%s(struct %s *packet) { HEADERS %s\nreturn 0; }'):format(section, section, context, body)
    end
    return BPF({ text = table.concat(text, "\n") })
end

-- Runs the program of each kind; `check` gets the object, what the program made of the packet, and the kind.
local function each_kind(what, outside, body, check)
    t.test(what, function()
        local b = open(outside, body)
        for kind, words in pairs(KINDS) do
            b.got:clear()
            -- Socket filters see no link header.
            local before = kind == "a socket filter" and ("\0"):rep(14) or ""
            local result = b:test_run({ fn_name = "in_" .. words[1], data_in = before .. PACKET })
            t.test(kind, function()
                check(b, result.data_out, kind)
            end)
        end
        b:cleanup()
    end)
end

-- Statements that set a slot for each field, out of variables that are called `prefix` and the header.
local function sets(prefix, arrow, header)
    local lines = {}
    for i, field in ipairs(FIELDS) do
        if not header or header == field[1] then
            lines[#lines + 1] = ("SET(%d, %s%s%s%s);"):format(i, prefix, header and "" or field[1], arrow, field[2])
        end
    end
    return table.concat(lines, " ")
end

local function fields_of(header)
    return function(b)
        for i, field in ipairs(FIELDS) do
            if not header or header == field[1] then
                local got = tonumber(b.got[i])
                if got ~= field[3] then
                    error(("%s.%s: got %d, wanted %d"):format(field[1], field[2], got, field[3]), 2)
                end
            end
        end
    end
end

each_kind("copies of every header", "", [[
    struct ethernet_t copy_ethernet = *ethernet;
    struct ip_t copy_ip;
    struct tcp_t copy_tcp = {};
    copy_ip = *ip;
    __builtin_memcpy(&copy_tcp, tcp, sizeof(copy_tcp));
]] .. sets("copy_", "."), fields_of())

local TAKE = "static void take(struct ip_t h) { " .. sets("h", ".", "ip") .. " }\n"
each_kind("a parameter", TAKE, "take(*ip);", fields_of("ip"))
each_kind("a parameter that is a copy", TAKE, "struct ip_t copy = *ip; take(copy);", fields_of("ip"))
local GIVE = [[
    static struct tcp_t give(struct tcp_t *h) { return *h; }
    static void through(struct tcp_t *h) { ]] .. sets("h", "->", "tcp") .. " }"
each_kind("a result", GIVE, "struct tcp_t copy = give(tcp); " .. sets("copy", ".", "tcp"), fields_of("tcp"))
each_kind("a pointer to a copy", GIVE, "struct tcp_t copy = *tcp; through(&copy);", fields_of("tcp"))
each_kind("a pointer into the packet", GIVE, "through(tcp);", fields_of("tcp"))

each_kind("values and keys of maps, members of structs", [[
    struct kept_t { u32 before; struct ip_t ip; u16 behind; };
    BPF_HASH(by_number, u32, struct ip_t);
    BPF_HASH(by_header, struct ip_t, u64);
    BPF_HASH(inside, u32, struct kept_t);]], [[
    u32 one = 1;
    u64 found = 77;
    struct ip_t copy = *ip, *value;
    struct kept_t kept = { .before = 1, .ip = *ip, .behind = 2 };
    by_number.update(&one, &copy);
    by_header.update(&copy, &found);
    inside.update(&one, &kept);
    value = by_number.lookup(&one);
    if (value) { ]] .. sets("value", "->", "ip") .. " } ", function(b)
    fields_of("ip")(b)
    -- The host sees plain structures, too.
    local value, kept = b.by_number[1], b.inside[1]
    t.equal(tonumber(value.src), 0x0a000001)
    t.equal(tonumber(value.ttl), 64)
    t.equal(tonumber(kept.ip.dst), 0xc0a80a14)
    t.equal(tonumber(kept.before) * 10 + tonumber(kept.behind), 12)
    local count = 0
    for key, number in b.by_header:pairs() do
        t.equal(tonumber(key.identification), 0xbeef)
        t.equal(tonumber(number), 77)
        count = count + 1
    end
    t.equal(count, 1)
    b.by_number:clear()
    b.by_header:clear()
    b.inside:clear()
end)

each_kind("headers of one's own, with arrays, inner structs and signs", [[
    struct inner_t { u16 low : 3, high : 13; u8 tail; } BPF_PACKET_HEADER;
    struct own_t { s8 sign : 3; u8 rest : 5; u16 words[3]; struct inner_t pair[2]; u64 wide : 40; s64 far : 24; u8 bytes[4]; } BPF_PACKET_HEADER;]], [[
    struct own_t *own = (struct own_t *)14, copy = *own;
    SET(0, copy.sign); SET(1, own->sign); SET(2, copy.words[1]); SET(3, own->words[1]); SET(4, copy.pair[1].high);
    SET(5, own->pair[1].high); SET(6, copy.wide); SET(7, own->wide); SET(8, copy.far); SET(9, own->far);
    SET(10, copy.bytes[3]); SET(11, own->bytes[3]); SET(12, copy.pair[0].tail); SET(13, own->pair[0].tail);]], function(b)
    -- The bytes behind the link header are those of IP: 45 08 00 54 be ef 5a bc 40 06 12 34 0a 00 …
    t.equal(tonumber(b.got[0]), 2)
    t.equal(tonumber(b.got[2]), 0x54be)
    t.equal(tonumber(b.got[4]), 0x1234)
    t.equal(tonumber(b.got[6]), 0x000001c0a8)
    t.equal(tonumber(b.got[8]), 0x0a14a8)
    for slot = 0, 12, 2 do
        t.equal(b.got[slot], b.got[slot + 1])
    end
end)

t.test("into the packet", function()
    local text = [[ {
        HEADERS
        struct ip_t copy = *ip;
        struct tcp_t fresh = { .src_port = 1, .dst_port = 0xfffe, .seq_num = 0xdeadbeef, .offset = 5, .flag_syn = 1, .rcv_wnd = 0x1234 };
        u32 source = copy.src;
        copy.src = copy.dst;
        copy.dst = source;
        copy.ttl--;
        copy.foffset = 5;
        *ip = copy;
        *tcp = fresh;
        return 0;
    }]]
    local b = BPF({ text = HEAD .. 'SEC("tc") int in_tc(struct __sk_buff *s)' .. text .. 'SEC("xdp") int in_xdp(struct xdp_md *x)' .. text })
    local ip = "\x45\x08\0\x54\xbe\xef\x40\x05\x3f\6\x12\x34\xc0\xa8\x0a\x14\10\0\0\1"
    local tcp = "\0\1\xff\xfe\xde\xad\xbe\xef\0\0\0\0\x50\x02\x12\x34\0\0\0\0"
    for _, fn_name in ipairs({ "in_tc", "in_xdp" }) do
        local out = b:test_run({ fn_name = fn_name, data_in = PACKET }).data_out
        t.equal(out, ETHERNET .. ip .. tcp .. "payload of the packet")
    end
    b:cleanup()
end)

t.test("what is no copy is told at its line", function()
    local maps = "BPF_HASH(values, u32, struct ip_t); BPF_HASH(keys, struct ip_t, u64); BPF_PERF_OUTPUT(events);"
    for _, body in ipairs({
        "values.update(&one, ip);",
        "keys.update(ip, &n);",
        "n = keys.lookup(ip) != 0;",
        "events.perf_submit(packet, ip, sizeof(*ip));",
        "SET(0, memcmp(ip, tcp, 4));",
        "u32 *plain = (u32 *)ip; SET(0, *plain);",
        "struct ip_t *value = values.lookup(&one); if (value) *value = *ip;",
        "*(u32 *)ip = 5;",
    }) do
        local err = t.fails(open, maps, "u32 one = 1; u64 n = 1;\n" .. body)
        t.contains(err, "a packet header is used as memory here, but its address is an offset into the packet: copy it first")
        t.contains(err, body)
    end
end)
