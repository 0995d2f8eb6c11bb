-- SPDX-License-Identifier: Apache-2.0
-- capable: who asked for which capability, whether it was allowed, and how it came there.

local t = require("harness")
local tool = require("help.tool")

-- Changes its root folder, which needs CAP_SYS_CHROOT, first as root, then as nobody; prints its process.
local WORK = [[python3 -c '
import os
print(os.getpid(), flush=True)
os.chroot("/")
os.setuid(65534)
try: os.chroot("/")
except OSError: pass
']]

t.test("allowed and refused", function()
    local pid
    local found = tool.run("capable", { "--json", "-x", "-K" }, function(running)
        pid = tonumber(tool.sh(WORK))
        running:sees('"uid":65534,"pid":' .. pid .. ',[^\n]*"CAP_SYS_CHROOT"')
    end)
    local row = found:row({ pid = pid, uid = 0, name = "CAP_SYS_CHROOT" })
    t.equal(row.cap, 18)
    t.equal(row.allowed, true)
    t.equal(row.comm, "python3")
    t.equal(row.tid, pid)
    t.contains(table.concat(row.kstack, ";"), "chroot")
    row = found:row({ pid = pid, uid = 65534, name = "CAP_SYS_CHROOT" })
    t.equal(row.allowed, false)
    row = found:row({ pid = pid, name = "CAP_SETUID" })
    -- Only functions tell what setuid(2) is about; a tracepoint does not.
    assert(row.insetid == 1 or row.insetid == nil, row.insetid)
    assert(row.audit == 1 or row.audit == nil, row.audit)
end)

t.test("each once", function()
    local found = tool.run("capable", { "--unique" }, function(running)
        tool.sh("perl -e 'chroot(\"/\") for 1..50'; chroot / /bin/true")
        running:sees("chroot +18")
    end)
    local _, count = found.out:gsub("perl +18 +CAP_SYS_CHROOT", "")
    t.equal(count, 1)
    t.contains(found.out, "TIME     UID    PID     COMM             CAP  NAME                 AUDIT  ALLOWED\n")
end)
