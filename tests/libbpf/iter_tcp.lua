-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("iter_tcp")
d.attached()
local server, port = d.server(d.TCP)
local client = d.connect(d.TCP, port)
local seen = {}
for line in b:iter("dump_tcp"):lines() do
    seen[line] = true
end
local ESTABLISHED, LISTEN = 1, 10
d.same("the listener", seen[("%d 0 %d"):format(port, LISTEN)], true)
local ours = d.port_of(client)
d.same("our end", seen[("%d %d %d"):format(ours, port, ESTABLISHED)], true)
d.same("the other end", seen[("%d %d %d"):format(port, ours, ESTABLISHED)], true)
d.checked("a listener and both ends of a connection")
