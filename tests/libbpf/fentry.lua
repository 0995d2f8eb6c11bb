-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("fentry", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
d.C.unlink("/nowhere/fentry")
d.same("the name", b.vars.name_seen, "/nowhere/fentry")
d.same("the folder", b.vars.dfd_seen, -100)
d.same("the number of arguments", b.vars.count, 2ULL)
d.same("whether the second argument is the same", b.vars.argument, 1ULL)
local listed
for line in io.lines("/proc/kallsyms") do
    listed = listed or line:match("^(%x+) %S do_unlinkat$")
end
d.same("the function's address", ("%016x"):format(b.vars.address), listed)
d.checked("arguments of a function, by name and by number; its address")
