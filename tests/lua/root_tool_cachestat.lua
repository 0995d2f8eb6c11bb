-- SPDX-License-Identifier: Apache-2.0
-- cachestat: a part of a file that is not cached makes misses, the same part again makes hits.

local t = require("harness")
local tool = require("help.tool")

-- The end of bpflua itself, symbols, is mapped by nobody and can be dropped from the cache: 8 MiB, 2048 pages. Just built,
-- it is written first: dirty pages stay.
local READ = [[python3 -c '
import os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(f).st_size
os.fsync(f)
os.posix_fadvise(f, size - (16 << 20), 16 << 20, os.POSIX_FADV_DONTNEED)
os.posix_fadvise(f, 0, 0, os.POSIX_FADV_RANDOM)
for i in range(int(sys.argv[2])):
    for at in range(0, 8 << 20, 4096): os.pread(f, 4096, size - (12 << 20) + at)
' '%s' %d]]

local function run(times)
    local found = tool.run("cachestat", { "--json", "600" }, function()
        tool.sh(READ:format(tool.self(), times))
    end)
    return found:rows()[1]
end

t.test("misses, then hits", function()
    local once, often = run(1), run(4)
    assert(once.misses >= 2000, json.encode(once))
    assert(often.misses >= 2000, json.encode(often))
    -- Three times more; other processes have theirs besides.
    assert(often.hits >= 6000, json.encode(often))
    assert(often.ratio > 50 and often.ratio <= 100 and often.cached > 0, json.encode(often))
end)

t.test("lines as asked for", function()
    local outcome = tool.start("cachestat", { "-T", "0.1", "2" }):finish(false)
    t.equal(outcome.status, 0)
    t.contains(outcome.out, "TIME         HITS   MISSES  DIRTIES HITRATIO  BUFFERS_MB  CACHED_MB\n")
    local _, lines = outcome.out:gsub("\n", "")
    t.equal(lines, 3)
end)
