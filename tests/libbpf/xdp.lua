-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local packet = require("packet")
local b = d.open("xdp", { constants = { echo_port = 4242 } })
local PASS, DROP, TX = 2, 1, 3
local function run(data)
    return b:test_run({ fn_name = "echo", data_in = data })
end
local answer = run(packet.udp(1111, 4242, "hello"))
d.same("the verdict on what is to be answered", answer.retval, TX)
local wanted = packet.udp(4242, 1111, "hello")
wanted = wanted:sub(7, 12) .. wanted:sub(1, 6) .. wanted:sub(13, 26) .. wanted:sub(31, 34) .. wanted:sub(27, 30) .. wanted:sub(35)
d.same("the answer", answer.data_out, wanted)
d.same("the verdict on another port", run(packet.udp(1111, 4243, "hello")).retval, DROP)
d.same("the verdict on no UDP", run(("\0"):rep(64)).retval, PASS)
d.same("answers counted", b.verdicts[TX]:sum(), 1ULL)
-- On a device: nothing but the port is let through.
b:attach_xdp({ dev = "lo", fn_name = "echo" })
d.attached()
local server, port = d.server(d.UDP)
local client = d.connect(d.UDP, port)
d.C.send(client, "x", 1, 0)
d.until_seen("a dropped packet", function() end, function() return b.verdicts[DROP]:sum() == 2ULL end)
d.checked("packets answered, dropped, passed; their bytes; packets of a device dropped")
