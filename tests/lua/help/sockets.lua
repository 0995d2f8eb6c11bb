-- SPDX-License-Identifier: Apache-2.0
-- Sockets over the loopback device, for programs on packets and sockets to see.

local ffi = require("ffi")

ffi.cdef([[
    int socket(int domain, int type, int protocol);
    int bind(int fd, const void *address, uint32_t length);
    int listen(int fd, int backlog);
    int accept(int fd, void *address, uint32_t *length);
    int connect(int fd, const void *address, uint32_t length);
    int getsockname(int fd, void *address, uint32_t *length);
    int getsockopt(int fd, int level, int name, void *value, uint32_t *length);
    ssize_t send(int fd, const void *data, size_t length, int flags);
    ssize_t recv(int fd, void *data, size_t length, int flags);
    int close(int fd);
    uint16_t htons(uint16_t number);
    typedef struct { uint16_t family; uint16_t port; uint8_t address[4]; uint8_t zero[8]; } test_sockaddr_in;
]])

local M = { C = ffi.C }

local AF_INET, STREAM, DGRAM, CLOEXEC, DONTWAIT = 2, 1, 2, 0x80000, 0x40

local function must(result, what)
    assert(result >= 0, what .. ": errno " .. ffi.errno())
    return result
end

---127.0.0.1 and a port.
function M.address(port)
    return ffi.new("test_sockaddr_in", { AF_INET, ffi.C.htons(port), { 127, 0, 0, 1 } })
end

function M.port(fd)
    local address, length = M.address(0), ffi.new("uint32_t[1]", 16)
    must(ffi.C.getsockname(fd, address, length), "getsockname")
    return ffi.C.htons(address.port)
end

function M.tcp()
    return must(ffi.C.socket(AF_INET, STREAM + CLOEXEC, 0), "socket")
end

---A socket bound to a port of its own, and the port.
function M.udp()
    local fd = must(ffi.C.socket(AF_INET, DGRAM + CLOEXEC, 0), "socket")
    must(ffi.C.bind(fd, M.address(0), 16), "bind")
    return fd, M.port(fd)
end

---A socket for datagrams to this address (four numbers and dots) and port.
function M.udp_at(ip, port)
    local fd = must(ffi.C.socket(AF_INET, DGRAM + CLOEXEC, 0), "socket")
    local address, at = M.address(port), 0
    for number in ip:gmatch("%d+") do
        address.address[at], at = tonumber(number), at + 1
    end
    must(ffi.C.bind(fd, address, 16), "bind")
    return fd
end

---A listening socket, and its port.
function M.listener()
    local fd = M.tcp()
    must(ffi.C.bind(fd, M.address(0), 16), "bind")
    must(ffi.C.listen(fd, 8), "listen")
    return fd, M.port(fd)
end

---0, or the errno.
function M.connect(fd, port)
    return ffi.C.connect(fd, M.address(port), 16) == 0 and 0 or ffi.errno()
end

---Two connected TCP sockets.
function M.pair()
    local listener, port = M.listener()
    local client = M.tcp()
    assert(M.connect(client, port) == 0, "connect")
    local server = must(ffi.C.accept(listener, nil, nil), "accept")
    ffi.C.close(listener)
    return client, server
end

---The number of bytes sent, or nothing and the errno.
function M.send(fd, text)
    local sent = tonumber(ffi.C.send(fd, text, #text, 0))
    if sent < 0 then
        return nil, ffi.errno()
    end
    return sent
end

---What is there to read, or nothing and the errno.
function M.recv(fd)
    local buffer = ffi.new("char[4096]")
    local length = tonumber(ffi.C.recv(fd, buffer, 4096, DONTWAIT))
    if length < 0 then
        return nil, ffi.errno()
    end
    return ffi.string(buffer, length)
end

---Sends a datagram to a port of this machine and receives it there; the text received.
function M.round_trip(text)
    local receiver, port = M.udp()
    local sender = M.udp()
    assert(M.connect(sender, port) == 0, "connect")
    local sent, errno = M.send(sender, text)
    local got = sent and M.recv(receiver)
    ffi.C.close(sender)
    ffi.C.close(receiver)
    return got, errno, port
end

---Repeats until something is so: packets may take a moment.
function M.until_true(what, body)
    local limit = os.time() + 30
    while not body() do
        assert(os.time() < limit, what)
        BPF.sleep(0.01)
    end
end

return M
