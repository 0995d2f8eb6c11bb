-- SPDX-License-Identifier: Apache-2.0
-- solisten: who listens where, with the backlog that was asked for.

local ffi = require("ffi")
local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("a socket, with its backlog and namespace", function()
    local port
    local found = tool.run("solisten", { "--json", "--show-netns" }, function(running)
        local fd
        fd, port = tcp.listen(2, 77)
        running:sees('"port":' .. port)
        ffi.C.close(fd)
    end)
    local row = found:row({ pid = tcp.pid, port = port })
    t.equal(row.protocol .. row.backlog .. row.address .. row.comm, "TCPv477127.0.0.1bpflua")
    t.equal(("net:[%d]"):format(row.netns), tool.sh("readlink /proc/self/ns/net"):match("%S+"))
end)

t.test("a port that the kernel chooses, a call that fails", function()
    local port
    local found = tool.run("solisten", { "--json", "-p", tcp.pid }, function(running)
        local udp = ffi.C.socket(2, 2, 0)
        t.equal(ffi.C.listen(udp, 1), -1)
        ffi.C.close(udp)
        local fd = ffi.C.socket(2, 1, 0)
        t.equal(ffi.C.listen(fd, 5), 0)
        port = require("help.sockets").port(fd)
        running:sees('"port":' .. port)
        ffi.C.close(fd)
    end)
    t.equal(#found:rows(), 1)
    t.equal(found:row({ port = port }).address, "0.0.0.0")
end)
