-- SPDX-License-Identifier: Apache-2.0
-- runqlen: of three busy processes that share a CPU two wait, most of the time.

local t = require("harness")
local busy = require("help.busy")
local tool = require("help.tool")

t.test("the queue of a CPU", function()
    busy.with(3, function()
        local found = tool.start("runqlen", { "--json", "-C", "1", "1" }):finish(false)
        t.equal(found.status, 0)
        local all, long = 0, 0
        for length, bucket in pairs(found:buckets(0)) do
            t.equal(bucket.high, length)
            all = all + bucket.count
            long = long + (length >= 2 and bucket.count or 0)
        end
        assert(all > 10 and all < 150, all .. " samples in a second")
        assert(long > 0.8 * all, ("%d of %d samples find two in the queue"):format(long, all))

        found = tool.start("runqlen", { "-O", "-C", "-T", "0.5", "2" }):finish(false)
        t.contains(found.out, "TIME      CPU  RUNQOCC%   SAMPLES\n")
        local times = 0
        for share in found.out:gmatch("\n%d%d:%d%d:%d%d    0 +([%d.]+) +%d+") do
            times = times + 1
            assert(tonumber(share) > 80 and tonumber(share) <= 100, share)
        end
        t.equal(times, 2)
    end)
end)
