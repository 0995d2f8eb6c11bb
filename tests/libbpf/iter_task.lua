-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("iter_task")
d.attached()
local lines, ours = {}, nil
for line in b:iter("dump_tasks"):lines() do
    lines[#lines + 1] = line
    ours = ours or line:match(("^%d (%%d+ .*)"):format(d.C.getpid()))
end
d.same("the first line", lines[1], "pid ppid comm")
d.same("the last line", lines[#lines], "end")
local status = io.open("/proc/self/status"):read("*a")
d.same("the line of this process", ours, status:match("PPid:%s*(%d+)") .. " " .. status:match("Name:%s*(%S+)"))
d.checked("a line for each task, ours among them, a head and an end")
