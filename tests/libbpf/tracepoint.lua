-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("tracepoint", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
d.C.kill(d.C.getpid(), 98)
d.same("the signal's target", b.vars.target, 0LL + d.C.getpid())
d.same("the signal", b.vars.signal, 98LL)
d.same("the result", b.vars.result, -22LL)
-- The shell becomes the other program.
os.execute("exec /usr/bin/env true")
d.same("what the child ran last", b.vars.filename:match("[^/]*$"), "true")
assert(b.vars.child > 1)
d.checked("arguments and result of a system call, the file name of an exec")
