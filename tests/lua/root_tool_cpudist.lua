-- SPDX-License-Identifier: Apache-2.0
-- cpudist: time on the CPU is what the kernel itself counts in /proc/PID/schedstat; a sleep is in the bucket of its length.

local t = require("harness")
local tool = require("help.tool")

t.test("time on the CPU", function()
    local busy
    local found = tool.run("cpudist", { "--json", "-P", "-e" }, function()
        busy = tool.two_on_a_cpu()
    end)
    local count, least, greatest = found:sums(busy.pid)
    local ran = busy.ran / 1000
    assert(least <= ran * 1.1 + 5000 and greatest >= ran * 0.9 - 5000, ("%s..%s is not %s"):format(least, greatest, ran))
    local totals = found:row({ output = "totals", id = busy.pid })
    t.equal(totals.count, count)
    assert(math.abs(totals.total - ran) < 10000 + ran * 0.1, ("%s us, not %s"):format(totals.total, ran))
    assert(math.abs(totals.average - totals.total / count) < 1)
    for _, row in ipairs(found:rows()) do
        assert(row.id ~= 0 and (not row.histogram or row.histogram.key ~= 0), "idle CPUs were not asked for")
    end
end)

t.test("a sleep off the CPU", function()
    local pid
    local found = tool.run("cpudist", { "--json", "-O", "-L" }, function()
        pid = tonumber(tool.sh("sh -c 'echo $$; exec sleep 0.7'"))
    end)
    t.equal(found:buckets(pid)[524288].count, 1)
    found = tool.run("cpudist", { "--json", "-O", "-m", "-P" }, function()
        pid = tonumber(tool.sh("sh -c 'echo $$; exec sleep 0.7'"))
    end)
    t.equal(found:buckets(pid)[512].count, 1)
end)

-- Idle time of all CPUs, in ticks of 10 ms.
local function idle()
    return tonumber(tool.sh("cat /proc/stat"):match("^cpu +%d+ %d+ %d+ (%d+)"))
end

t.test("idle CPUs, text", function()
    local before = idle()
    local found = tool.start("cpudist", { "-I", "-P", "-e", "0.5", "1" }):finish(false)
    t.equal(found.status, 0)
    t.contains(found.out, "     ID  AVERAGE(us)      TOTAL(us)      COUNT\n")
    -- A machine under load has no idle CPU; at the start they may have been idle before it looked.
    if idle() - before > 20 then
        t.contains(found.out, "\npid = 0\n     usecs               : count     distribution\n")
    end
end)
