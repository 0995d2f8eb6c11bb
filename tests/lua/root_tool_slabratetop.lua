-- SPDX-License-Identifier: Apache-2.0
-- slabratetop: paths of system calls are kept in objects of names_cache, 4096 bytes each.

local t = require("harness")
local tool = require("help.tool")

t.test("allocations of a cache", function()
    local running = tool.start("slabratetop", { "--json", "-r", "5", 60 })
    tool.sh("perl -e 'for (1 .. 5000) { -e q(/bpflua/no/such) }'")
    local found = running:finish()
    t.equal(found.status, 0)
    local row = found:row({ cache = "names_cache" })
    assert(row.allocs >= 5000 and row.allocs < 1000000, row.allocs)
    t.equal(row.bytes, row.allocs * 4096)
    local rows = found:rows()
    assert(#rows <= 5, "five rows were asked for")
    for i = 2, #rows do
        assert(rows[i - 1].bytes >= rows[i].bytes, "those of most bytes come first")
    end
end)

t.test("tables", function()
    local found = tool.start("slabratetop", { "-C", "0.3", "2" }):finish(false)
    t.equal(found.status, 0)
    t.equal(select(2, found.out:gsub("\nCACHE +ALLOCS +BYTES\n", "")), 2)
    t.equal(select(2, found.out:gsub("%d%d:%d%d:%d%d loadavg: [%d.]+ ", "")), 2)
end)
