-- SPDX-License-Identifier: Apache-2.0
-- Every field of every packet header by bcc's names: read out of bytes drawn by chance, at even and at odd places, and turned
-- around in the packet. Fields stand in their order, the highest bit first, without gaps.

local t = require("harness")

local HEADERS = {
    ethernet_t = "dst:48 src:48 type:16",
    dot1q_t = "pri:3 cfi:1 vlanid:12 type:16",
    arp_t = "htype:16 ptype:16 hlen:8 plen:8 oper:16 sha:48 spa:32 tha:48 tpa:32",
    ip_t = "ver:4 hlen:4 tos:8 tlen:16 identification:16 ffo_unused:1 df:1 mf:1 foffset:13 ttl:8 nextp:8 hchecksum:16 src:32 dst:32",
    icmp_t = "type:8 code:8 checksum:16",
    ip6_t = "ver:4 priority:8 flow_label:20 payload_len:16 next_header:8 hop_limit:8 src_hi:64 src_lo:64 dst_hi:64 dst_lo:64",
    ip6_opt_t = "next_header:8 ext_len:8",
    icmp6_t = "type:8 code:8 checksum:16",
    udp_t = "sport:16 dport:16 length:16 crc:16",
    tcp_t = "src_port:16 dst_port:16 seq_num:32 ack_num:32 offset:4 reserved:4 flag_cwr:1 flag_ece:1 flag_urg:1 flag_ack:1 flag_psh:1 "
        .. "flag_rst:1 flag_syn:1 flag_fin:1 rcv_wnd:16 cksum:16 urg_ptr:16",
    vxlan_t = "rsv1:4 iflag:1 rsv2:3 rsv3:24 key:24 rsv4:8",
    -- In bcc's the field `rsv4` has one bit: all behind it lies where the wire has something else.
    vxlan_gbp_t = "gflag:1 rsv1:3 iflag:1 rsv2:3 rsv3:1 dflag:1 rsv4:2 aflag:1 rsv5:3 tag:16 key:24 rsv6:8",
}

local function fields(list)
    local found, at = {}, 0
    for name, width in list:gmatch("([%w_]+):(%d+)") do
        found[#found + 1] = { name = name, at = at, width = tonumber(width) }
        at = at + tonumber(width)
    end
    return found, at
end

-- The number that these bits of a packet are.
local function number(packet, at, width)
    local value = 0ULL
    for place = at, at + width - 1 do
        local byte = packet:byte(math.floor(place / 8) + 1)
        value = value * 2 + bit.band(bit.rshift(byte, 7 - place % 8), 1)
    end
    return value
end

local seed = 12345
local function by_chance(length)
    local bytes = {}
    for i = 1, length do
        seed = seed * 48271 % 2147483647
        bytes[i] = string.char(math.floor(seed / 65536) % 256)
    end
    return table.concat(bytes)
end

-- A program that reads all fields into the map, and one that turns all of them around; behind so many bytes.
local function programs(header, list, start)
    local reads, turns = {}, {}
    for i, field in ipairs(fields(list)) do
        reads[i] = ("SET(%d, h->%s);"):format(i, field.name)
        turns[i] = ("h->%s = ~h->%s;"):format(field.name, field.name)
    end
    local body = ([[
SEC("tc") int %%s_%s_%d(struct __sk_buff *skb)
{
    u8 *cursor = (u8 *)%d;
    struct %s *h = cursor_advance(cursor, sizeof(*h));
    %%s
    return (u64)cursor;
}
]]):format(header, start, start, header)
    return body:format("read", table.concat(reads, " ")) .. body:format("turn", table.concat(turns, " "))
end

local STARTS = { 0, 14, 3 }
local text = { '#include <bcc/proto.h>\nBPF_ARRAY(got, u64, 32);\n#define SET(n, v) do { int k_ = (n); u64 v_ = (v); got.update(&k_, &v_); } while (0)\n' }
for header, list in pairs(HEADERS) do
    for _, start in ipairs(STARTS) do
        text[#text + 1] = programs(header, list, start)
    end
end
local b = BPF({ text = table.concat(text) })

for header, list in pairs(HEADERS) do
    t.test(header, function()
        local all, bits = fields(list)
        -- Six bytes of padding are behind these two.
        local length = header == "ip6_opt_t" and 8 or bits / 8
        for _, start in ipairs(STARTS) do
            local packet = by_chance(80)
            local out = b:test_run({ fn_name = ("read_%s_%d"):format(header, start), data_in = packet })
            t.equal(out.retval, start + length)
            t.equal(out.data_out, packet)
            for i, field in ipairs(all) do
                if b.got[i] ~= number(packet, 8 * start + field.at, field.width) then
                    error(("%s behind %d bytes: got %s, wanted %s"):format(field.name, start, tostring(b.got[i]),
                        tostring(number(packet, 8 * start + field.at, field.width))))
                end
            end
            out = b:test_run({ fn_name = ("turn_%s_%d"):format(header, start), data_in = packet })
            local turned = packet:sub(start + 1, start + bits / 8):gsub(".", function(c) return string.char(255 - c:byte()) end)
            t.equal(out.data_out, packet:sub(1, start) .. turned .. packet:sub(start + bits / 8 + 1))
        end
    end)
end
b:cleanup()
