-- SPDX-License-Identifier: Apache-2.0
-- llcstat: where the machine has the counters, a busy process is counted; elsewhere the error says what is missing.

local t = require("harness")
local tool = require("help.tool")

t.test("counts, or why there are none", function()
    local pid
    local running = tool.start("llcstat", { "--json", "-c", 1000, 30 })
    if not running:status() then
        pid = tonumber(tool.sh("perl -e 'print $$; my %h; $h{rand()} = 1 for 1 .. 200000'"))
    end
    local found = running:finish()
    if found.status == 0 then
        local references = 0
        for _, row in ipairs(found:rows()) do
            assert(row.references % 1000 == 0 and row.misses % 1000 == 0 and row.hit_rate >= 0 and row.hit_rate <= 100)
            references = references + (row.pid == pid and row.references or 0)
        end
        assert(references > 0, "the process refers to memory")
        t.contains(found.err, "Total References: ")
        return
    end
    t.equal(found.status, 3)
    t.contains(found.err, "to perf event hardware:cache-")
    t.contains(found.err, "this machine has no hardware counters (ENOENT)")
    t.skip("llcstat counts", "this machine has no counters of its cache")
end)
