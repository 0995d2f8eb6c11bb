-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
local b = d.open("fentry_struct", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
local IPPROTO_TCP, TCP_KEEPIDLE = 6, 4
local fd = d.socket(d.TCP)
d.sys("TCP_KEEPIDLE", d.C.setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, ffi.new("int[1]", 1234), 4))
d.same("the level", b.vars.level_seen, IPPROTO_TCP)
d.same("the option", b.vars.name_seen, TCP_KEEPIDLE)
d.same("its length", b.vars.length_seen, 4)
d.same("whether it is the kernel's memory", b.vars.is_kernel, false)
d.same("its value", b.vars.value_seen, 1234)
d.checked("a struct by value between other arguments, what it points to")
