-- SPDX-License-Identifier: Apache-2.0
-- tcptop: every byte of both ends of a connection; what is only looked at is counted once.

local ffi = require("ffi")
local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("bytes of a connection", function()
    local pair
    local found = tool.run("tcptop", { "--json", "100" }, function()
        pair = tcp.pair()
        pair:exchange(3000, 70001)
        ffi.C.send(pair.client, "12345", 5, 0)
        local buffer = ffi.new("char[16]")
        t.equal(tonumber(ffi.C.recv(pair.server, buffer, 16, 2)), 5) -- MSG_PEEK
        t.equal(tonumber(ffi.C.recv(pair.server, buffer, 16, 0)), 5)
    end)
    pair:close()
    local client = found:row({ pid = tcp.pid, lport = pair.cport, dport = pair.sport })
    local server = found:row({ pid = tcp.pid, lport = pair.sport, dport = pair.cport })
    t.equal(client.tx_kb * 1024 .. " " .. client.rx_kb * 1024, "3005 70001")
    t.equal(server.tx_kb * 1024 .. " " .. server.rx_kb * 1024, "70001 3005")
    t.equal(client.comm .. client.saddr .. client.daddr, "bpflua127.0.0.1127.0.0.1")
end)

t.test_unless(tcp.lacks_ipv6(), "IPv6 as text, some reports", function()
    local found = tool.run("tcptop", { "-C", "-6", "-S", "0.5" }, function(running)
        tcp.pair():exchange(1024, 1024)
        local pair = tcp.pair(10)
        pair:exchange(2048, 10240)
        running:sees("::1 +" .. pair.cport .. " +::1 +" .. pair.sport .. " +10 +2\n")
        pair:close()
    end)
    t.contains(found.out, "PID     COMM         LADDR                      LPORT RADDR                      RPORT   RX_KB   TX_KB\n")
    assert(not found.out:find("127.0.0.1") and not found.out:find("loadavg"))
end)
