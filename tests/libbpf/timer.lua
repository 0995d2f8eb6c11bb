-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("timer")
d.same("starting it", b:test_run({ fn_name = "start", data_in = ("\0"):rep(64) }).retval, 0)
d.attached()
d.until_seen("three rounds", function() end, function() return b.vars.rounds == 3ULL end)
assert(b.vars.last - b.vars.started >= 15000000ULL, "it is not early")
d.checked("a timer went off three times, and not early")
