-- SPDX-License-Identifier: Apache-2.0
-- runqlen: of three busy processes that share a CPU two wait, most of the time.

local t = require("harness")
local busy = require("help.busy")
local tool = require("help.tool")

-- What is printed while three processes share CPU 0 for a second.
local function beside_three(args)
    return tool.run("runqlen", args, function()
        busy.with(3, function()
            BPF.sleep(1)
        end)
    end)
end

t.test("the queue of a CPU", function()
    local busiest, most = 0, 0
    for _, row in ipairs(beside_three({ "--json", "-C", "0.5" }):rows()) do
        local hist, all, long = row.histogram, 0, 0
        for _, bucket in ipairs(hist and hist.key == 0 and hist.buckets or {}) do
            t.equal(bucket.high, bucket.low)
            all = all + bucket.count
            long = long + (bucket.low >= 2 and bucket.count or 0)
        end
        most = math.max(most, all)
        busiest = math.max(busiest, all > 3 and long / all or 0)
    end
    assert(most > 5 and most < 200, most .. " samples in 0.5 s of one CPU")
    assert(busiest > 0.8, ("two are in the queue in %d %% of the samples"):format(100 * busiest))
end)

t.test("how often there is a queue", function()
    local found, most = beside_three({ "-O", "-C", "-T", "0.5" }), 0
    t.contains(found.out, "TIME      CPU  RUNQOCC%   SAMPLES\n")
    for share in found.out:gmatch("\n%d%d:%d%d:%d%d    0 +([%d.]+) +%d+") do
        assert(tonumber(share) <= 100, share)
        most = math.max(most, tonumber(share))
    end
    assert(most > 80, most)
end)
