-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("fexit", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
d.C.unlink("/nowhere/fexit")
d.same("the result", b.vars.result, -2LL)
d.same("the result by helper", bit.band(b.vars.result_by_helper, 0xffffffffULL), 0xfffffffeULL)
d.checked("the errno of a file that is not there, as a parameter and by helper")
