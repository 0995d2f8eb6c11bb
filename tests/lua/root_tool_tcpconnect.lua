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

-- A name server on a port of its own address: it answers whatever is asked with 127.0.0.1, by way of another name; the client asks as
-- C libraries do.
local ANSWER = [[python3 -c '
import os, socket, struct, sys, threading
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.7.7.7", 53))
def answer():
    question, who = server.recvfrom(512)
    alias = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 8) + b"\x05other\xc0\x11"
    address = b"\xc0\x2e" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
    server.sendto(question[:2] + struct.pack(">HHHHH", 0x8180, 1, 2, 0, 0) + question[12:] + alias + address, who)
thread = threading.Thread(target=answer)
thread.start()
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.7.7.7", 53))
name = b"\x04peer\x07example\x03org\0"
client.send(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1))
if sys.argv[2] == "recv": client.recv(512)
elif sys.argv[2] == "read": os.read(client.fileno(), 512)
else: client.recvmsg(512)
thread.join()
socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(os.getpid())
' %d %s]]

t.test("the names that were asked for", function()
    local listener, port = tcp.listen(2, 8)
    local pids = {}
    local found = tool.run("tcpconnect", { "--json", "-d", "-P", port }, function(running)
        tcp.connect(port)
        for i, call in ipairs({ "recv", "read", "recvmsg" }) do
            pids[i] = tonumber(tool.sh(ANSWER:format(port, call)))
            running:sees('"pid":' .. pids[i])
        end
    end)
    require("ffi").C.close(listener)
    t.equal(found:row({ pid = tcp.pid, dport = port }).query, nil)
    for _, pid in ipairs(pids) do
        local row = found:row({ pid = pid })
        t.equal(row.query, "peer.example.org")
        assert(row.query_ms > 0 and row.query_ms < 60000, row.query_ms)
    end
end)
