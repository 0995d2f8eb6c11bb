-- SPDX-License-Identifier: Apache-2.0
-- tcpstates: every state of both ends of a connection in order, with the time spent in it.

local ffi = require("ffi")
local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

-- What one end went through, `OLD>NEW`, by its ports.
local function path(rows, lport, dport)
    local list, socket = {}, nil
    for _, row in ipairs(rows) do
        if row.dport == dport and (row.lport == lport or row.lport == 0) then
            list[#list + 1] = row.oldstate .. ">" .. row.newstate
            socket = socket or row.socket
            t.equal(row.socket, socket)
        end
    end
    return table.concat(list, " ")
end

t.test("a connection from beginning to end", function()
    local pair
    local found = tool.run("tcpstates", { "--json", "-4" }, function(running)
        pair = tcp.pair()
        BPF.sleep(0.25)
        pair:close()
        running:sees('"lport":' .. pair.sport .. ',"daddr":"127.0.0.1","dport":' .. pair.cport .. ',"oldstate":"LAST_ACK","newstate":"CLOSE"')
    end)
    local rows = found:rows()
    t.equal(path(rows, pair.cport, pair.sport), "CLOSE>SYN_SENT SYN_SENT>ESTABLISHED ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE")
    -- Older kernels fill in the other end's port after the first change.
    local server = path(rows, pair.sport, pair.cport):gsub("^LISTEN>SYN_RECV ", "")
    t.equal(server, "SYN_RECV>ESTABLISHED ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE")
    local row = found:row({ lport = pair.cport, oldstate = "ESTABLISHED" })
    assert(row.ms >= 250 and row.ms < 60000, row.ms)
    t.equal(row.pid .. row.comm, tcp.pid .. "bpflua")
end)

t.test("a listener, by its port, as text", function()
    local port
    local found = tool.run("tcpstates", { "-T", "-w" }, function(running)
        local fd
        fd, port = tcp.listen()
        ffi.C.close(fd)
        running:sees("LISTEN      CLOSE ")
    end)
    t.contains(found.out, ("bpflua     4  127.0.0.1                  %-5d 0.0.0.0                    0     CLOSE       LISTEN          0.000\n"):format(port))
end)
