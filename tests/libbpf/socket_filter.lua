-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local packet = require("packet")
local server, port = d.server(d.UDP)
local b = d.open("socket_filter", { constants = { wanted_port = port } })
-- A test run takes the Ethernet header away, which a packet socket keeps.
local function kept(data)
    return b:test_run({ fn_name = "to_port", data_in = ("\0"):rep(14) .. data }).retval
end
d.same("bytes kept", kept(packet.udp(9, port, "abcdef")), 46)
d.same("bytes kept of another", kept(packet.udp(9, port + 1, "abc")), 0)
local fn = b:load_func("to_port")
b:attach_raw_socket(fn, "lo")
d.attached()
local client = d.connect(d.UDP, port)
d.C.send(client, "abcdef", 6, 0)
local got
d.until_seen("the datagram", function() end, function()
    got = got or fn:recv()
    return got
end)
d.same("the packet's length", #got, 46)
d.same("its end", got:sub(-4), "abcd")
d.checked("datagrams to one port on a packet socket, cut")
