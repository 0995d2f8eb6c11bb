-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
local b = d.open("kprobe", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
local seen
b.events:open_ring_buffer(function(_, event)
    seen = ffi.string(event.name)
    d.same("the process", event.pid, d.C.getpid())
end, { ctype = "struct { int pid, result; char comm[16], name[64]; }" })
d.until_seen("a removed file", function() d.C.unlink("/nowhere/kprobe") end, function() return seen end)
d.same("the name", seen, "/nowhere/kprobe")
d.checked("the name and the process of a removed file")
