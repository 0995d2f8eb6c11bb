-- SPDX-License-Identifier: Apache-2.0
-- TCP between network namespaces: a server in one, a client in another, both in this process.

local ffi = require("ffi")
local namespaces = require("help.namespaces")
local net = require("help.sockets")

ffi.cdef([[
    int setsockopt(int fd, int level, int name, const void *value, uint32_t length);
    typedef struct { long sec, usec; } streams_timeval;
]])

local M = {}

local SOL_SOCKET, SO_RCVTIMEO, SO_SNDTIMEO = 1, 20, 21

local function address(text, port)
    local value = net.address(port)
    local i = 0
    for byte in text:gmatch("%d+") do
        value.address[i], i = tonumber(byte), i + 1
    end
    return value
end

-- Nothing waits longer than a minute.
local function impatient(fd)
    local minute = ffi.new("streams_timeval", 60, 0)
    for _, name in ipairs({ SO_RCVTIMEO, SO_SNDTIMEO }) do
        assert(ffi.C.setsockopt(fd, SOL_SOCKET, name, minute, ffi.sizeof(minute)) == 0)
    end
    return fd
end

-- What is left to read of a socket, until its other end is closed or nothing is there.
local function drain(fd, buffer)
    local count = 0
    while true do
        local got = tonumber(ffi.C.recv(fd, buffer, 65536, 0x40)) -- MSG_DONTWAIT
        if got <= 0 then
            return count, got == 0
        end
        count = count + got
    end
end

---Sends so many bytes from one namespace to a server in another; they must all arrive, in order.
---@param from string namespace
---@param to string namespace
---@param ip string the server's address, as the client sees it
---@param bytes integer
---@return string peer the client's address, as the server sees it
function M.send(from, to, ip, bytes)
    local listener, port = namespaces.within(to, function()
        local fd = net.tcp()
        local any = address("0.0.0.0", 0)
        assert(ffi.C.bind(fd, any, 16) == 0 and ffi.C.listen(fd, 1) == 0, "listen")
        return fd, net.port(fd)
    end)
    local client = namespaces.within(from, function()
        local fd = impatient(net.tcp())
        assert(ffi.C.connect(fd, address(ip, port), 16) == 0, "connect: errno " .. ffi.errno())
        return fd
    end)
    local peer, length = net.address(0), ffi.new("uint32_t[1]", 16)
    local server = ffi.C.accept(listener, peer, length)
    assert(server >= 0, "accept")
    local chunk, buffer = ("0123456789abcdef"):rep(1024), ffi.new("uint8_t[65536]")
    local sent, received = 0, 0
    local limit = os.time() + 120
    while received < bytes do
        if sent < bytes then
            local some = tonumber(ffi.C.send(client, chunk, math.min(#chunk, bytes - sent), 0x40))
            sent = sent + math.max(some, 0)
        end
        received = received + drain(server, buffer)
        assert(os.time() < limit, ("%d of %d bytes arrived"):format(received, bytes))
    end
    for _, fd in ipairs({ client, server, listener }) do
        ffi.C.close(fd)
    end
    return table.concat({ peer.address[0], peer.address[1], peer.address[2], peer.address[3] }, ".")
end

return M
