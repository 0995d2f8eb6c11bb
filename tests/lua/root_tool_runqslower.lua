-- SPDX-License-Identifier: Apache-2.0
-- runqslower: the single waits of a process add up to what the kernel itself counts in /proc/PID/schedstat.

local t = require("harness")
local tool = require("help.tool")

t.test("every wait", function()
    local busy
    local found = tool.run("runqslower", { "--json", "-P", 0 }, function()
        busy = tool.two_on_a_cpu()
    end)
    local sum, behind = 0, 0
    for _, row in ipairs(found:rows()) do
        if row.previous_tid == busy.pid or row.previous_tid == busy.other then
            t.equal(row.previous_comm, "perl")
            behind = behind + 1
        end
        if row.pid == busy.pid then
            t.equal(row.tid, busy.pid)
            sum = sum + row.latency
        end
    end
    local waited = busy.waited / 1000
    assert(math.abs(sum - waited) < 5000 + waited * 0.1, ("%d us, not %d us"):format(sum, waited))
    assert(behind > 0, "somebody waits for them")
end)

t.test("long ones only; of one thread only; text", function()
    local busy
    local found = tool.run("runqslower", { "--json", "2000" }, function()
        busy = tool.two_on_a_cpu(19)
    end)
    assert(found:row({ pid = busy.pid, comm = "perl" }))
    for _, row in ipairs(found:rows()) do
        assert(row.latency >= 2000, row.latency)
    end
    found = tool.run("runqslower", { "-t", "1", "0" }, function()
        tool.sh("perl -e 1")
    end)
    t.contains(found.out, "TIME     COMM             PID     TID        LAT(us)\n")
    assert(not found.out:find("perl"), found.out)
end)

t.test("a process and a thread", function()
    local found = tool.start("runqslower", { "-p", "1", "-t", "1" }):finish(false)
    t.equal(found.status, 1)
    t.contains(found.err, "--pid and --tid exclude each other")
end)
