-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("promises")
local run = b:test_run({ fn_name = "promises", data_in = ("\0"):rep(77) })
d.attached()
d.same("a struct's norm", run.retval, 70)
d.checked("a pointer that is promised to be one")
