-- SPDX-License-Identifier: Apache-2.0
-- hardirqs: handlers are counted as often as /proc/interrupts counts their interrupts.

local t = require("harness")
local tool = require("help.tool")

-- Interrupts by the name of their handler; those with several handlers are left out.
local function interrupts()
    local counts, shared = {}, {}
    for line in tool.sh("cat /proc/interrupts"):gmatch("[^\n]+") do
        local numbers, rest = line:match("^ *%d+:([%d ]+) (%S.*)$")
        local name = rest and rest:match("(%S+)$")
        if name and not rest:find(", ", 1, true) then
            local sum = 0
            for number in numbers:gmatch("%d+") do
                sum = sum + tonumber(number)
            end
            shared[name] = counts[name] ~= nil or shared[name]
            counts[name] = sum
        end
    end
    for name in pairs(shared) do
        counts[name] = nil
    end
    return counts
end

-- What makes interrupts: a disk, the console or the clock of the machine, whichever it has.
local function work()
    tool.sh("dd if=/dev/zero of=./hardirqs.tmp bs=64k count=4 conv=fsync 2>/dev/null; rm -f ./hardirqs.tmp")
    BPF.sleep(0.5)
end

t.test("as often as the kernel counts", function()
    local most, least
    local before = interrupts()
    local found = tool.run("hardirqs", { "--json", "-N" }, function()
        local from = interrupts()
        work()
        least = interrupts()
        for name, count in pairs(least) do
            least[name] = count - (from[name] or 0)
        end
    end)
    most = interrupts()
    local rows, checked = {}, 0
    for _, row in ipairs(found:rows()) do
        rows[row.name] = row
        assert(row.total_ns > 0 and math.abs(row.total_ns / 1000 - row.total_us) < 1)
    end
    for name, count in pairs(least) do
        local row = rows[name:sub(1, 31)]
        if count > 0 then
            checked = checked + 1
            assert(row, name .. " is not there: " .. found.out)
            local limit = most[name] - (before[name] or 0)
            -- The kernel counts an interrupt before its handler begins: one may be on either side of the work's beginning.
            assert(row.count >= count - 1 and row.count <= limit, ("%s: %d, not %d to %d"):format(name, row.count, count, limit))
        end
    end
    if checked == 0 then
        t.skip("hardirqs counts", "nothing here raises an interrupt that has a handler of its own")
    end
end)

t.test("histograms; counts; what excludes each other", function()
    local found = tool.run("hardirqs", { "-d", "-T" }, work)
    t.contains(found.out, "Tracing handlers of interrupts... Ctrl-C ends it\n")
    if found.out:find("hardirq") then
        t.contains(found.out, "     usecs               : count     distribution\n")
    end
    found = tool.start("hardirqs", { "-C", "-N" }):finish(false)
    t.equal(found.status, 1)
    t.contains(found.err, "-C goes with neither -d nor -N")
end)
