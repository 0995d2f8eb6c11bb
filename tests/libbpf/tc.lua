-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
local packet = require("packet")
local server, port = d.server(d.UDP)
local b = d.open("tc", { constants = { from_port = port == 4000 and 4001 or 4000, to_port = port } })
local from = port == 4000 and 4001 or 4000
local run = b:test_run({ fn_name = "rewrite", data_in = packet.udp(9, from, "abc"), ctx_in = ("\0"):rep(192) })
d.same("the verdict", run.retval, 0)
d.same("the packet", run.data_out, packet.udp(9, port, "abc"))
d.same("its mark", ffi.cast("const uint32_t *", run.ctx_out)[2], #packet.udp(9, from, "abc"))
d.same("the verdict on a short packet", b:test_run({ fn_name = "rewrite", data_in = ("\0"):rep(15) }).retval, 2)
b:attach_tc({ dev = "lo", fn_name = "rewrite" })
d.attached()
-- What is sent to the one port arrives at the other.
local before = b.vars.rewritten
local client = d.connect(d.UDP, from)
d.C.send(client, "to another port", 15, 0)
d.same("what arrives", d.receive(server), "to another port")
d.same("packets rewritten", b.vars.rewritten, before + 1)
d.checked("a packet's port and mark; a datagram led to another port")
