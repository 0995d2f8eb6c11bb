-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("raw_tp_writable", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
local ok, err = pcall(b.test_run, b, { fn_name = "victim", data_in = ("\0"):rep(64) })
d.same("whether the run went well", ok, false)
d.same("its errno", err.errno, 105)
d.same("what it was before", b.vars.outcome, 0)
d.checked("the argument of a tracepoint was read and written")
