-- SPDX-License-Identifier: Apache-2.0
-- tcpdrop: a packet to a port at which nobody listens, with the kernel's reason and its stack.

local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

t.test("a packet that nobody wants", function()
    local port
    local found = tool.run("tcpdrop", { "--json", "-4" }, function(running)
        local _
        _, port = tcp.connect(1)
        running:sees('"dport":1,')
    end)
    local row = found:row({ daddr = "127.0.0.1", dport = 1 })
    t.equal(row.saddr .. row.flags .. row.reason .. row.ip .. row.state, "127.0.0.1SYNNO_SOCKET4-")
    assert(row.sport > 0 and port)
    t.contains(table.concat(row.stack, "\n"), "tcp_v4_rcv+0x")
end)

t.test("as text, of one network namespace", function()
    local function run(...)
        return tool.run("tcpdrop", { "-4", ... }, function()
            tcp.connect(1)
            BPF.sleep(0.2)
        end).out
    end
    local out = run("--pid-netns", tcp.pid)
    assert(out:find("127.0.0.1 +%d+ +127.0.0.1 +1 +%- +SYN +NO_SOCKET *\n    [%w_.]+%+0x"), out)
    assert(not run("--no-stack", "--netns-id", "1"):find("127.0.0.1"))
end)
