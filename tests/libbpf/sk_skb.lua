-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local server, port = d.server(d.TCP)
local function pair()
    local client = d.connect(d.TCP, port)
    return client, d.sys("accept", d.C.accept(server, nil, nil))
end
local first, first_there = pair()
local second, second_there = pair()
local b = d.open("sk_skb")
-- What comes in at the first goes out at the second.
b:attach_sockmap({ fn_name = "pass_on", map = "sockets" })
b.sockets[0] = 0ULL + first_there
b.sockets[1] = 0ULL + second_there
d.attached()
d.C.send(first, "through the kernel", 18, 0)
d.same("what the other end receives", d.receive(second), "through the kernel")
d.same("bytes passed on", b.vars.bytes, 18ULL)
d.checked("data of one connection sent on another")
