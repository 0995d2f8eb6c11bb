-- SPDX-License-Identifier: Apache-2.0
-- tcpaccept: who accepts from where, and nothing that is merely connected.

local ffi = require("ffi")
local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("what is accepted", function()
    local pair, waiting
    local found = tool.run("tcpaccept", { "--json" }, function(running)
        local listener
        listener, waiting = tcp.listen()
        tcp.connect(waiting)
        pair = tcp.pair()
        running:sees('"lport":' .. pair.sport)
        ffi.C.close(listener)
    end)
    pair:close()
    local row = found:row({ pid = tcp.pid, lport = pair.sport })
    t.equal(row.daddr .. " " .. row.dport .. " " .. row.saddr, "127.0.0.1 " .. pair.cport .. " 127.0.0.1")
    t.equal(row.ip .. row.comm, "4bpflua")
    for _, other in ipairs(found:rows()) do
        assert(other.lport ~= waiting)
    end
end)

t.test_unless(tcp.lacks_ipv6(), "IPv6, a port", function()
    local pair, other
    local found = tool.run("tcpaccept", { "-6", "-T" }, function(running)
        other = tcp.pair()
        pair = tcp.pair(10)
        running:sees("::1")
    end)
    pair:close()
    other:close()
    assert(not found.out:find("127.0.0.1"))
    t.contains(found.out, ("bpflua       6  ::1              %-5d ::1              %d\n"):format(pair.cport, pair.sport))
    assert(found.out:find("\n%d%d:%d%d:%d%d " .. tcp.pid))
end)
