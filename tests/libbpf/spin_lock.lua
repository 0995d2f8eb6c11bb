-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("spin_lock")
b:test_run({ fn_name = "move", data_in = ("\0"):rep(64), times = 250 })
d.attached()
local pair = b.pairs[1]
d.same("what is left", pair.left, 750)
d.same("what was moved", pair.right, 250)
d.checked("two members of a value under one lock")
