-- SPDX-License-Identifier: Apache-2.0
-- vfsstat: operations of one process, each kind counted.

local t = require("harness")
local tool = require("help.tool")

-- Tells its process, waits to be told to go on, and does a known number of everything.
local WORK = [[python3 -c '
import os, sys, time
folder = sys.argv[1]
open(folder + "/pid", "w").write(str(os.getpid()))
while not os.path.exists(folder + "/go"): time.sleep(0.01)
for i in range(30):
    f = os.open(folder + "/file" + str(i), os.O_CREAT | os.O_RDWR)
    for j in range(20): os.pwrite(f, b"x", j)
    for j in range(10): os.pread(f, 1, j)
    os.fsync(f)
    os.close(f)
for i in range(30): os.unlink(folder + "/file" + str(i))
for i in range(5): os.mkdir(folder + "/dir" + str(i))
for i in range(5): os.rmdir(folder + "/dir" + str(i))
open(folder + "/done", "w")
while os.path.exists(folder): time.sleep(0.01)
' %s >/dev/null 2>&1 &]]

t.test("each kind of a process", function()
    -- Not on an overlay, which calls the functions again for the file below.
    local folder = tool.sh("mktemp -d -p /dev/shm"):gsub("\n", "")
    os.execute(WORK:format(folder))
    local pid = tool.wait_for("the process", function()
        return tonumber(tool.sh("cat " .. folder .. "/pid 2>/dev/null"))
    end)
    local found = tool.run("vfsstat", { "--json", "-p", pid, "600" }, function()
        os.execute("touch " .. folder .. "/go")
        tool.wait_for("the work", function()
            return io.open(folder .. "/done")
        end):close()
    end)
    os.execute("rm -rf " .. folder)
    -- One line of the whole time, whose rates are as the counts: 31 opens with that of `done`.
    local row = found:rows()[1]
    local seconds = 600 / row.write
    for kind, count in pairs({ read = 300, write = 600, fsync = 30, open = 31, create = 31, unlink = 30, mkdir = 5, rmdir = 5 }) do
        local counted = row[kind] * seconds
        assert(math.abs(counted - count) < 0.5, ("%s: %g, not %d"):format(kind, counted, count))
    end
end)

t.test("lines as asked for", function()
    local outcome = tool.start("vfsstat", { "0.2", "2" }):finish(false)
    t.equal(outcome.status, 0)
    local _, lines = outcome.out:gsub("\n", "")
    t.equal(lines, 3)
    t.contains(outcome.out, "TIME       READ/s  WRITE/s  FSYNC/s   OPEN/s CREATE/s UNLINK/s  MKDIR/s  RMDIR/s\n")
end)
