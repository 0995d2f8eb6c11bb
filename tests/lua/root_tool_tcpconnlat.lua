-- SPDX-License-Identifier: Apache-2.0
-- tcpconnlat: a connection whose first packet is lost takes the second until the next one.

local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("a slow connection, and only that with a least time", function()
    local pair, spent
    local found = tool.run("tcpconnlat", { "--json", "-L", "500" }, function(running)
        tcp.pair():close()
        local began = BPF.monotonic_time()
        pair = tcp.slow_pair()
        spent = tonumber(BPF.monotonic_time() - began) / 1e6
        running:sees('"dport":' .. pair.sport)
    end)
    pair:close()
    t.equal(#found:rows(), 1)
    local row = found:row({ pid = tcp.pid, lport = pair.cport, dport = pair.sport })
    t.equal(row.saddr .. row.daddr .. row.ip .. row.comm, "127.0.0.1127.0.0.14bpflua")
    assert(row.latency >= 900 and row.latency <= spent, row.latency)
end)

t.test("every connection that is established, as text", function()
    local pair
    local found = tool.run("tcpconnlat", { "-p", tcp.pid }, function(running)
        tcp.connect(1)
        pair = tcp.pair()
        running:sees("bpflua")
    end)
    pair:close()
    local pattern = "^PID     COMM         IP SADDR            DADDR            DPORT  LAT%%(ms%%)\n%d +bpflua +4  127.0.0.1 +127.0.0.1 +%d +%%d+%%.%%d%%d\n$"
    assert(found.out:find(pattern:format(tcp.pid, pair.sport)), found.out)
end)
