-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("tail_call")
local function run(length)
    return b:test_run({ fn_name = "first", data_in = ("\0"):rep(length) }).retval
end
d.same("two calls, by the text's own table", run(64), 41)
d.same("a slot that is empty", run(200), 200)
b.steps[2] = b:load_func("large").fd
d.attached()
d.same("a slot that the script filled", run(200), 71)
d.checked("what programs return that were called from others")
