-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("freplace")
local PASS, DROP, TX = 2, 1, 3
local function verdict(length)
    return b:test_run({ fn_name = "filter", data_in = ("x"):rep(length) }).retval
end
d.same("the verdict on 60 bytes", verdict(60), PASS)
b:attach_freplace({ fn_name = "new_verdict", target = "filter" })
d.attached()
d.same("the new verdict on 60 bytes", verdict(60), DROP)
d.same("the new verdict on 40 bytes", verdict(40), TX)
b:detach_freplace("new_verdict")
d.same("the old verdict on 101 bytes", verdict(101), DROP)
d.same("the old verdict on 60 bytes", verdict(60), PASS)
d.same("verdicts of the old function", b.vars.asked, 3)
d.same("verdicts of the new one", b.vars.replaced, 2)
d.checked("verdicts of the old and the new function")
