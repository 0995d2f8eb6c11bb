-- SPDX-License-Identifier: Apache-2.0
-- fileslower: reads and writes with their bytes, file and latency; a slow pipe with -a.

local t = require("harness")
local tool = require("help.tool")

local WAIT = "(sleep 0.3; echo late) | cat"
local FOLDER = tool.sh("mktemp -d"):gsub("\n", "")

t.test("bytes and path of reads and writes", function()
    local pid
    local found = tool.run("fileslower", { "--json", "0" }, function(running)
        pid = tonumber(tool.sh(("cd %s; sh -c 'echo $$; exec dd if=/dev/zero of=written bs=5000 count=3 2>/dev/null'"):format(FOLDER)))
        tool.sh(WAIT) -- no file, without -a
        tool.sh(("perl -e 'open(A, \"<\", $ARGV[0]); sysread(A, $x, 4000); sysread(A, $x, 20000)' %s/written"):format(FOLDER))
        running:sees('"bytes":11000')
    end)
    local row = found:row({ pid = pid, comm = "dd", file = FOLDER .. "/written" })
    t.equal(row.dir, "W")
    t.equal(row.bytes, 5000)
    t.equal(row.tid, pid)
    assert(row.latency > 0 and row.latency < 60000, row.latency)
    row = found:row({ comm = "perl", bytes = 11000 })
    t.equal(row.dir, "R")
    t.equal(row.file, FOLDER .. "/written")
    for _, other in ipairs(found:rows()) do
        assert(not other.file:find("^pipe:"), other.file)
    end
end)

t.test("a pipe that waits is slow", function()
    local found = tool.run("fileslower", { "--json", "-a", "100" }, function(running)
        tool.sh(WAIT)
        running:sees('"cat"')
    end)
    local row = found:row({ comm = "cat", dir = "R", bytes = 5 })
    assert(row.latency >= 200, row.latency)
    assert(row.file:find("^pipe:%[%d+%]$"), row.file)
end)

os.execute("rm -rf " .. FOLDER)
