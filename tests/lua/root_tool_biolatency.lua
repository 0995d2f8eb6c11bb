-- SPDX-License-Identifier: Apache-2.0
-- biolatency: every request of a disk is in the histogram, and no time is longer than the whole took.

local t = require("harness")
local disk = require("help.disk")
local tool = require("help.tool")

-- The histogram of the section whose name ends so.
local function of(rows, ending)
    for _, row in ipairs(rows) do
        if row.histogram and row.histogram.section:find(ending .. "$") then
            return row.histogram
        end
    end
    error("no histogram of " .. ending)
end

t.test("requests by their flags, and their sum", function()
    disk.with(function(path, name)
        local began
        local rows = tool.run("biolatency", { "--json", "-e", "-F", "-d", name }, function()
            began = BPF.monotonic_time()
            disk.write(path, 65536, 10)
            disk.read(path, 4096, 7)
        end):rows()
        local most = tonumber(BPF.monotonic_time() - began) / 1000
        local writes, reads = of(rows, "Write"), of(rows, "Read")
        t.equal(disk.total(writes.buckets), 10)
        assert(disk.total(reads.buckets) >= 7) -- who looks at new disks reads, too
        t.equal(writes.unit, "usecs")
        local sum = rows[#rows]
        assert(sum.output == "summary" and sum.count >= 17 and sum.total > 0 and sum.total < most * sum.count, json.encode(sum))
        assert(math.abs(sum.average * sum.count - sum.total) < 1)
    end)
end)

t.test("disks apart, with the time in the queue, in milliseconds", function()
    disk.with(function(path, name)
        local rows = tool.run("biolatency", { "--json", "-D", "-Q", "-m" }, function()
            disk.write(path, 65536, 5)
        end):rows()
        local mine = of(rows, "^" .. name)
        assert(disk.total(mine.buckets) >= 5)
        t.equal(mine.unit, "msecs")
    end)
end)

t.test("no such disk, too many options", function()
    local none = tool.start("biolatency", { "-d", "nodisk" }):finish(false)
    t.equal(none.status, 1)
    t.contains(none.err, "there is no disk `nodisk`")
    t.contains(tool.start("biolatency", { "-D", "-F" }):finish(false).err, "-D and -F exclude each other")
end)
