-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local KILL = jit.arch == "x64" and 62 or 129
local b = d.open("raw_tp", { constants = { targ_tgid = d.C.getpid(), targ_call = KILL } })
d.attached()
d.C.kill(d.C.getpid(), 97)
d.same("the signal's target", b.vars.first, 0ULL + d.C.getpid())
d.same("the signal", b.vars.second, 97ULL)
d.same("the target when it returns", b.vars.by_macro, 0ULL + d.C.getpid())
d.same("the result", b.vars.result, -22LL)
d.checked("arguments of a system call out of its registers, its result")
