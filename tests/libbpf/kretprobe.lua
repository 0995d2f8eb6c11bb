-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("kretprobe", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
d.C.unlink("/nowhere/kretprobe")
d.same("calls", b.vars.calls, 1LL)
d.same("the result", b.vars.result, -2LL)
d.checked("the errno of a file that is not there")
