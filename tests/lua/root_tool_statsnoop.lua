-- SPDX-License-Identifier: Apache-2.0
-- statsnoop: which files were looked at, by which call, with what result.

local t = require("harness")
local tool = require("help.tool")

t.test("names, calls and results", function()
    local pid
    local found = tool.run("statsnoop", { "--json", "-s", "-t" }, function(running)
        pid = tonumber(tool.sh([[python3 -c '
import os
print(os.getpid())
os.stat("/etc/passwd"); os.statvfs("/proc/self")
try: os.lstat("/no/such")
except OSError: pass
os.stat("/etc/hosts/../last") if os.path.exists("/last-of-all") else 0
']]))
        running:sees("/last%-of%-all")
    end)
    local row = found:row({ pid = pid, path = "/etc/passwd" })
    t.equal(row.err, 0)
    t.equal(row.comm, "python3")
    t.equal(row.syscall:find("stat") ~= nil, true)
    t.equal(found:row({ pid = pid, path = "/proc/self" }).syscall, "statfs")
    row = found:row({ pid = pid, path = "/no/such" })
    t.equal(row.err, 2)
    t.equal(row.fd, -1)
    assert(row.time > 0 and row.time < 600, row.time)
end)

t.test("failures only", function()
    local found = tool.run("statsnoop", { "-x" }, function(running)
        tool.sh("test -e /etc/passwd; test -e /no/such/file; sh -c 'test -e /no/second'")
        running:sees("/no/second")
    end)
    t.contains(found.out, "PID     COMM               FD ERR PATH\n")
    t.contains(found.out, "  -1   2 /no/such/file\n")
    assert(not found.out:find("/etc/passwd"), found.out)
end)
