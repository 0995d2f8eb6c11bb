-- SPDX-License-Identifier: Apache-2.0
-- Packets made by hand.

local M = {}

function M.bytes(...)
    return string.char(...)
end

-- A number in network order.
function M.be16(n)
    return string.char(math.floor(n / 256) % 256, n % 256)
end

---An Ethernet frame with IPv4 and UDP from one port to another.
function M.udp(from, to, text)
    local udp = M.be16(from) .. M.be16(to) .. M.be16(8 + #text) .. "\0\0" .. text
    local ip = "\69\0" .. M.be16(20 + #udp) .. "\0\0\0\0\64\17\0\0" .. "\10\0\0\1" .. "\10\0\0\2"
    return "\1\2\3\4\5\6" .. "\7\8\9\10\11\12" .. "\8\0" .. ip .. udp
end

return M
