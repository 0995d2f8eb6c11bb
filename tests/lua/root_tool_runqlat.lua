-- SPDX-License-Identifier: Apache-2.0
-- runqlat: the waits of a process are those that the kernel itself counts in /proc/PID/schedstat.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

t.test("waits of a process, of a thread, of a namespace", function()
    local busy
    local found = tool.run("runqlat", { "--json", "-P" }, function()
        busy = tool.two_on_a_cpu()
    end)
    local count, least, greatest = found:sums(busy.pid)
    local waited = busy.waited / 1000
    assert(busy.waited > 2e7, "it did not wait")
    assert(least <= waited * 1.1 + 5000, ("%s..%s is more than %s"):format(least, greatest, waited))
    assert(greatest >= waited * 0.9 - 5000, ("%s..%s is less than %s"):format(least, greatest, waited))
    assert(math.abs(count - busy.times) <= 5 + 0.1 * busy.times, ("%d waits, not %d"):format(count, busy.times))
    assert(found:sums(busy.other) > 0)
end)

t.test("one process only, in milliseconds; a number of histograms; text", function()
    ffi.cdef("int getpid(void);")
    local running = tool.start("runqlat", { "--pidnss", "-T", "-m", "-p", ffi.C.getpid(), "0.4", "2" })
    tool.sh("true")
    local found = running:finish(false)
    t.equal(found.status, 0)
    t.equal(select(2, found.out:gsub("%d%d:%d%d:%d%d\n", "")), 2)
    local namespace = tool.sh("readlink /proc/self/ns/pid"):match("%d+")
    t.contains(found.out, "pidns = " .. namespace .. "\n     msecs               : count     distribution\n")
end)
