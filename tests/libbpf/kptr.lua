-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("kptr", { constants = { targ_pid = d.C.getpid() } })
local function run(name)
    return b:test_run({ fn_name = name }).retval
end
d.same("looking for a task that nobody kept", run("look"), 2)
d.same("keeping a task", run("keep"), 0)
d.same("keeping it again", run("keep"), 0)
d.attached()
d.same("tasks that were there before", b.vars.had_one_before, 1)
d.same("looking at it", run("look"), 0)
d.same("its number", b.vars.pid_seen, d.C.getpid())
d.same("its name", b.vars.comm_seen, io.open("/proc/self/comm"):read("*l"))
d.same("looking for it once more", run("look"), 2)
d.checked("a task was kept, exchanged, and looked at later")
