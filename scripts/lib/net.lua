-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Addresses and byte order of networks, and the names TCP has for its states and flags.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local bit = require("bit")

ffi.cdef([[
const char *bpflua_inet_ntop(int family, const void *address, char *text, unsigned int size) __asm__("inet_ntop");
int bpflua_inet_pton(int family, const char *text, void *address) __asm__("inet_pton");
]])

local M = {}

-- Address families by the names that people use (`bits/socket.h`).
local FAMILIES = { inet = 2, inet6 = 10, [2] = 2, [4] = 2, [6] = 10, [10] = 10 }
local SIZES = { [2] = 4, [10] = 16 }

local function family_number(of, family)
    local number = FAMILIES[type(family) == "cdata" and tonumber(family) or family]
    if not number then
        errors.arguments(of, { "family", "integer|string!" }, family)
        errors.fail({
            what = ("there is no address family `%s`: argument `family` of `%s`"):format(tostring(family), of),
            hints = { 'AF_INET is 2 or "inet", AF_INET6 is 10 or "inet6"' },
        })
    end
    return number
end

-- The bytes of an address, however the kernel's struct holds it.
local function address_bytes(value, size)
    if type(value) == "string" then
        return #value == size and value or nil
    elseif type(value) == "number" and size == 4 then
        return ffi.string(ffi.new("uint32_t[1]", value), 4)
    elseif type(value) == "cdata" then
        if size == 4 and (ffi.istype("uint64_t", value) or ffi.istype("int64_t", value)) then
            return ffi.string(ffi.new("uint32_t[1]", tonumber(value)), 4)
        end
        return ffi.sizeof(value) == size and ffi.string(ffi.cast("const char *", ffi.cast("const void *", value)), size) or nil
    end
end

---The text of an address: `inet_ntop(2, event.daddr)` gives "127.0.0.1".
---@param family integer|string|ffi.cdata* 2 or "inet", 10 or "inet6"
---@param address any as the kernel has it, in network order: a u32, an array or struct of 4 or 16 bytes, `__int128`, a string of bytes
---@return string
function M.inet_ntop(family, address)
    family = family_number("inet_ntop", family)
    local bytes = address_bytes(address, SIZES[family])
    if not bytes then
        errors.fail({
            what = ("`inet_ntop` does not take a %s"):format(errors.type_name(address)),
            why = ("an address of this family has %d bytes"):format(SIZES[family]),
        })
    end
    local text = ffi.new("char[64]")
    ffi.C.bpflua_inet_ntop(family, bytes, text, 64)
    return ffi.string(text)
end

---The bytes of an address, in network order, from its text; nil when it is none.
---@param family integer|string|ffi.cdata* 2 (AF_INET) or 10 (AF_INET6)
---@param text string "127.0.0.1", "::1"
---@return string? bytes 4 or 16
function M.inet_pton(family, text)
    family = family_number("inet_pton", family)
    local bytes = ffi.new("uint8_t[16]")
    errors.arguments("inet_pton", { "text", "string!" }, text)
    if ffi.C.bpflua_inet_pton(family, text, bytes) == 1 then
        return ffi.string(bytes, SIZES[family])
    end
end

local little = ffi.abi("le")

---A 16-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 16 bits
---@return integer
function M.ntohs(value)
    value = errors.number("ntohs", "value", value) % 0x10000
    return little and (value % 0x100) * 0x100 + math.floor(value / 0x100) or value
end

---A 32-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 32 bits
---@return integer
function M.ntohl(value)
    value = errors.number("ntohl", "value", value) % 0x100000000
    return little and bit.bswap(value) % 0x100000000 or value
end

---A 64-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 64 bits
---@return ffi.cdata* uint64_t
function M.ntohll(value)
    if type(value) ~= "cdata" or not tonumber(value) then
        errors.number("ntohll", "value", value)
    end
    value = ffi.cast("uint64_t", value)
    return little and bit.bswap(value) or value
end

M.htons, M.htonl, M.htonll = M.ntohs, M.ntohl, M.ntohll

-- The kernel's numbers (`net/tcp_states.h`).
local TCP_STATES = {
    "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
    "LISTEN", "CLOSING", "NEW_SYN_RECV",
}

---The name of a TCP state: 1 is "ESTABLISHED".
---@param state integer|ffi.cdata* the kernel's number, from 1
---@return string
function M.tcp_state_name(state)
    state = errors.number("tcp_state_name", "state", state)
    return TCP_STATES[state] or tostring(state)
end

local TCP_FLAGS = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" }

---The names of the flags of a TCP header's flags byte: 0x12 is "SYN|ACK".
---@param flags integer|ffi.cdata* the byte of flags of a TCP header
---@return string
function M.tcp_flag_names(flags)
    flags = errors.number("tcp_flag_names", "flags", flags)
    local names = {}
    for i, name in ipairs(TCP_FLAGS) do
        if bit.band(flags, bit.lshift(1, i - 1)) ~= 0 then
            names[#names + 1] = name
        end
    end
    return table.concat(names, "|")
end

return M
