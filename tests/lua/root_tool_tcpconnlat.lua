-- SPDX-License-Identifier: Apache-2.0
-- tcpconnlat: a connection whose first packet is lost takes the time until the next one.

local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("a slow connection, with a least time", function()
    local pair, spent
    local found = tool.run("tcpconnlat", { "--json", "-L", "50" }, function(running)
        tcp.pair():close()
        local began = BPF.monotonic_time()
        pair = tcp.slow_pair()
        spent = tonumber(BPF.monotonic_time() - began) / 1e6
        running:sees('"dport":' .. pair.sport)
    end)
    pair:close()
    local row = found:row({ pid = tcp.pid, lport = pair.cport, dport = pair.sport })
    t.equal(row.saddr .. row.daddr .. row.ip .. row.comm, "127.0.0.1127.0.0.14bpflua")
    -- It cannot be established while the queue is full, which is 0.1 s.
    assert(row.latency >= 100 and row.latency <= spent, row.latency)
    for _, other in ipairs(found:rows()) do
        assert(other.latency >= 50, other.latency)
    end
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
