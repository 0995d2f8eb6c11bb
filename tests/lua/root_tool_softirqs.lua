-- SPDX-License-Identifier: Apache-2.0
-- softirqs: soft interrupts are counted as often as /proc/softirqs counts them.

local t = require("harness")
local tool = require("help.tool")

local function softirqs(cpu)
    local counts = {}
    for line in tool.sh("cat /proc/softirqs"):gmatch("[^\n]+") do
        local name, numbers = line:match("^ *(%S+):([%d ]+)$")
        local sum, at = 0, 0
        for number in (numbers or ""):gmatch("%d+") do
            sum = sum + ((not cpu or cpu == at) and tonumber(number) or 0)
            at = at + 1
        end
        counts[name and name:lower() or ""] = name and sum
    end
    return counts
end

-- The numbers are between what was counted while it surely looked, and what was counted in all.
local function check(args, cpu)
    local before, least = softirqs(cpu), nil
    local found = tool.run("softirqs", args, function()
        local from = softirqs(cpu)
        tool.sh("dd if=/dev/zero of=/dev/null bs=1M count=200 2>/dev/null")
        BPF.sleep(0.3)
        least = softirqs(cpu)
        for name, count in pairs(least) do
            least[name] = count - from[name]
        end
    end)
    local most, checked, rows = softirqs(cpu), 0, {}
    for _, row in ipairs(found:rows()) do
        rows[row.name] = row
    end
    for name, count in pairs(least) do
        local limit, got = most[name] - before[name], rows[name] and rows[name].count or 0
        checked = checked + (count > 0 and 1 or 0)
        assert(got >= count and got <= limit, ("%s: %d, not %d to %d"):format(name, got, count, limit))
    end
    assert(checked > 0, "there is always a timer")
    return found
end

t.test("as often as the kernel counts", function()
    for _, row in ipairs(check({ "--json", "-N" }):rows()) do
        assert(row.total_ns > 0 and math.abs(row.total_ns / 1000 - row.total_us) < 1)
        t.equal(row.time, nil)
    end
    for _, row in ipairs(check({ "--json", "-C", "-c", "0" }, 0):rows()) do
        t.equal(row.total_us, nil)
    end
end)

t.test("histograms", function()
    local found = tool.start("softirqs", { "-d", "-T", "0.3", "2" }):finish(false)
    t.equal(found.status, 0)
    t.equal(select(2, found.out:gsub("\n%d%d:%d%d:%d%d\n", "")), 2)
    t.contains(found.out, "softirq = timer\n     usecs               : count     distribution\n")
end)
