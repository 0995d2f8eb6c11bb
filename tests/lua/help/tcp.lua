-- SPDX-License-Identifier: Apache-2.0
-- TCP connections over the loopback device with known ports and bytes, for tests of tools on TCP: both ends are in this process.

local ffi = require("ffi")
local net = require("help.sockets")

ffi.cdef([[
    typedef struct { uint16_t family, port; uint32_t flow; uint8_t address[16]; uint32_t scope; } tcp_sockaddr_in6;
    int getpid(void);
    int shutdown(int fd, int how);
    int setsockopt(int fd, int level, int name, const void *value, uint32_t length);
]])

local M = { pid = ffi.C.getpid() }

local AF_INET6 = 10

local function must(result, what)
    assert(result >= 0, what .. ": errno " .. ffi.errno())
    return result
end

-- The loopback address and a port, in a form for calls; its size.
local function address(family, port)
    if family == AF_INET6 then
        local value = ffi.new("tcp_sockaddr_in6", { AF_INET6, ffi.C.htons(port) })
        value.address[15] = 1
        return value, 28
    end
    return net.address(port), 16
end

local function port_of(family, fd)
    local value, size = address(family, 0)
    must(ffi.C.getsockname(fd, value, ffi.new("uint32_t[1]", size)), "getsockname")
    return ffi.C.htons(value.port)
end

---Why there is no IPv6, if so.
function M.lacks_ipv6()
    local fd = ffi.C.socket(AF_INET6, 1, 0)
    local value, size = address(AF_INET6, 0)
    local works = fd >= 0 and ffi.C.bind(fd, value, size) == 0
    if fd >= 0 then
        ffi.C.close(fd)
    end
    return not works and "there is no IPv6 here"
end

---@class TcpPair
---@field client integer descriptor
---@field server integer descriptor
---@field cport integer the client's port
---@field sport integer the server's port
local Pair = {}
Pair.__index = Pair

---Listens on a port of its own.
---@param family? integer 2 or 10
---@param backlog? integer
---@return integer fd
---@return integer port
function M.listen(family, backlog)
    family = family or 2
    local fd = must(ffi.C.socket(family, 1, 0), "socket")
    local value, size = address(family, 0)
    must(ffi.C.bind(fd, value, size), "bind")
    must(ffi.C.listen(fd, backlog or 1), "listen")
    return fd, port_of(family, fd)
end

---Begins a connection; the socket, its port and the result of the call.
---@param options? {family?: integer, flags?: integer} flags: of the socket's type
function M.connect(port, options)
    local family = options and options.family or 2
    local fd = must(ffi.C.socket(family, 1 + (options and options.flags or 0), 0), "socket")
    local value, size = address(family, port)
    local result = ffi.C.connect(fd, value, size)
    return fd, port_of(family, fd), result
end

---A connection, accepted.
---@param family? integer 2 or 10
---@return TcpPair
function M.pair(family)
    family = family or 2
    local listener, sport = M.listen(family)
    local client, cport, result = M.connect(sport, { family = family })
    must(result, "connect")
    local server = must(ffi.C.accept(listener, nil, nil), "accept")
    ffi.C.close(listener)
    return setmetatable({ client = client, server = server, cport = cport, sport = sport }, Pair)
end

---A connection whose first packet gets no answer, because the listener's queue is full until it was sent; the next, a second later,
---does. Returns when it is established.
---@return TcpPair
function M.slow_pair()
    local listener, sport = M.listen(2, 0)
    local first = M.connect(sport)
    local client, cport = M.connect(sport, { flags = 0x800 }) -- SOCK_NONBLOCK
    BPF.sleep(0.1)
    ffi.C.close(must(ffi.C.accept(listener, nil, nil), "accept"))
    ffi.C.close(first)
    local server = must(ffi.C.accept(listener, nil, nil), "accept")
    ffi.C.close(listener)
    return setmetatable({ client = client, server = server, cport = cport, sport = sport }, Pair)
end

local function move(from, to, bytes)
    local buffer, left = ffi.new("char[65536]"), bytes
    while left > 0 do
        local sent = tonumber(must(ffi.C.send(from, buffer, math.min(left, 16384), 0), "send"))
        left = left - sent
        while sent > 0 do
            sent = sent - tonumber(must(ffi.C.recv(to, buffer, sent, 0), "recv"))
        end
    end
end

---Sends so many bytes to the server, and so many back; all are received.
---@param up integer
---@param down integer
function Pair:exchange(up, down)
    move(self.client, self.server, up)
    move(self.server, self.client, down)
end

---Closes both ends, the client's first.
function Pair:close()
    ffi.C.close(self.client)
    BPF.sleep(0.02)
    ffi.C.close(self.server)
end

return M
