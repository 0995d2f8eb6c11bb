-- SPDX-License-Identifier: Apache-2.0
-- tcpretrans: the first packet of a connection, when the other end's queue is full; also counted; tail loss probes.

local t = require("harness")
local kprobes = require("help.kprobes")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("a first packet that is sent again", function()
    local pair
    local found = tool.run("tcpretrans", { "--json", "-s" }, function(running)
        pair = tcp.slow_pair()
        running:sees('"dport":' .. pair.sport)
    end)
    pair:close()
    local row = found:row({ dport = pair.sport, lport = pair.cport })
    t.equal(row.saddr .. row.type .. row.daddr .. row.ip .. row.state, "127.0.0.1R127.0.0.14SYN_SENT")
    assert(row.seq > 0)
end)

t.test("counts", function()
    local pair
    local found = tool.run("tcpretrans", { "-c", "-4" }, function()
        pair = tcp.slow_pair()
    end)
    pair:close()
    t.contains(found.out, ("R 127.0.0.1                 %-5d 127.0.0.1                 %-5d           1\n"):format(pair.cport, pair.sport))
end)

t.test("tail loss probes, where functions can be probed", function()
    local running = tool.start("tcpretrans", { "-l", "--duration", "0.1" })
    local found = running:finish(false)
    t.equal(found.status, kprobes.lacking and 3 or 0)
    if kprobes.lacking then
        t.contains(found.err, "tcp_send_loss_probe")
    end
end)
