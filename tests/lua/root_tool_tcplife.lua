-- SPDX-License-Identifier: Apache-2.0
-- tcplife: both ends of a connection with their ports, every byte, and how long it lasted.

local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

local function life(family, ...)
    local pair, spent
    local found = tool.run("tcplife", { "--json", ... }, function(running)
        local began = BPF.monotonic_time()
        pair = tcp.pair(family)
        pair:exchange(3000, 70001)
        BPF.sleep(0.25)
        pair:close()
        spent = tonumber(BPF.monotonic_time() - began) / 1e6
        running:sees('"dport":' .. pair.sport .. ',')
        running:sees('"dport":' .. pair.cport .. ',')
    end)
    return found, pair, spent
end

local function check(found, pair, spent)
    local client = found:row({ lport = pair.cport, dport = pair.sport })
    local server = found:row({ lport = pair.sport, dport = pair.cport })
    t.equal(client.tx_kb * 1024 .. " " .. client.rx_kb * 1024, "3000 70001")
    t.equal(server.tx_kb * 1024 .. " " .. server.rx_kb * 1024, "70001 3000")
    for _, row in ipairs({ client, server }) do
        t.equal(row.pid .. row.comm, tcp.pid .. "bpflua")
        assert(row.ms >= 250 and row.ms <= spent, row.ms)
    end
    return client
end

t.test("bytes and time of both ends", function()
    local client = check(life(2))
    t.equal(client.saddr .. client.daddr, "127.0.0.1127.0.0.1")
end)

t.test_unless(tcp.lacks_ipv6(), "IPv6", function()
    local client = check(life(10, "-6"))
    t.equal(client.saddr .. client.daddr, "::1::1")
end)

t.test("one remote port only; what is refused; wide columns", function()
    local port
    local found = tool.run("tcplife", { "-w", "-D", "1" }, function(running)
        tcp.pair():close()
        local _
        _, port = tcp.connect(1)
        running:sees("bpflua")
    end)
    local line = found.out:match("\n([^\n]*)\n$")
    assert(line:find(("^%d +bpflua     4  127.0.0.1                  %%d+ +127.0.0.1                  1 +0 +0 +%%d"):format(tcp.pid)), line)
    assert(port)
end)
