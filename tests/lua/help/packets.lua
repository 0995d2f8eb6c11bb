-- SPDX-License-Identifier: Apache-2.0
-- The bytes of packets: numbers in the network's order, checksums, bytes in place of others.

local M = {}

---A number's two bytes, the higher first.
function M.be16(n)
    return string.char(math.floor(n / 256) % 256, n % 256)
end

---The Internet checksum of some bytes.
function M.checksum(bytes)
    local sum = 0
    for i = 1, #bytes, 2 do
        sum = sum + bytes:byte(i) * 256 + (bytes:byte(i + 1) or 0)
    end
    while sum > 0xffff do
        sum = sum % 0x10000 + math.floor(sum / 0x10000)
    end
    return 0xffff - sum
end

---A packet with other bytes in place of those at an offset from 0.
function M.put(packet, offset, bytes)
    return packet:sub(1, offset) .. bytes .. packet:sub(offset + #bytes + 1)
end

return M
