-- SPDX-License-Identifier: Apache-2.0
-- tcpconnect: who connects to where, from which port; also when nobody answers there.

local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("a connection, and one that is refused", function()
    local pair, refused
    local found = tool.run("tcpconnect", { "--json", "-L", "-U" }, function(running)
        pair = tcp.pair()
        local _
        _, _, refused = tcp.connect(1)
        running:sees('"dport":1}')
    end)
    pair:close()
    t.equal(refused, -1)
    local row = found:row({ pid = tcp.pid, dport = pair.sport })
    t.equal(row.saddr .. " " .. row.lport .. " " .. row.daddr, "127.0.0.1 " .. pair.cport .. " 127.0.0.1")
    t.equal(row.ip .. row.uid .. row.comm, "40bpflua")
    t.equal(found:row({ pid = tcp.pid, dport = 1 }).daddr, "127.0.0.1")
end)

t.test_unless(tcp.lacks_ipv6(), "IPv6, as text", function()
    local pair
    local found = tool.run("tcpconnect", { "-6" }, function(running)
        tcp.pair():close()
        pair = tcp.pair(10)
        running:sees("::1")
    end)
    pair:close()
    t.equal(found.out, ("PID     COMM         IP SADDR            DADDR            DPORT\n%-7d bpflua       6  ::1              ::1              %d\n"):format(tcp.pid, pair.sport))
end)

t.test("counts, by port", function()
    local listener, port = tcp.listen(2, 8)
    local found = tool.run("tcpconnect", { "--json", "-c", "-P", "3," .. port }, function()
        for _ = 1, 3 do
            tcp.connect(port)
        end
        tcp.connect(1)
    end)
    require("ffi").C.close(listener)
    t.equal(#found:rows(), 1)
    t.equal(found:row({ dport = port }).connections, 3)
end)

t.test("a port that is none", function()
    local found = tool.start("tcpconnect", { "-P", "80,http" }):finish(false)
    t.equal(found.status, 1)
    t.contains(found.err, "`http` of --port is no port")
end)
