-- SPDX-License-Identifier: Apache-2.0
-- fileslower: reads and writes with their bytes, file and latency; a slow pipe with -a.

local t = require("harness")
local tool = require("help.tool")

local FOLDER = tool.sh("mktemp -d"):gsub("\n", "")

t.test("bytes and path of reads and writes", function()
    local pid
    local found = tool.run("fileslower", { "--json", "0" }, function(running)
        pid = tonumber(tool.sh(("cd %s; sh -c 'echo $$; exec dd if=/dev/zero of=written bs=5000 count=3 2>/dev/null'"):format(FOLDER)))
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
end)

t.test("a pipe that waits is slow, and no file", function()
    local function run(args)
        return tool.run("fileslower", args, function(running)
            tool.sh("(sleep 0.3; echo late) | cat; sleep 0.1")
            if #args > 2 then
                running:sees('"cat"')
            end
        end)
    end
    local row = run({ "--json", "100", "-a" }):row({ comm = "cat", dir = "R", bytes = 5 })
    assert(row.latency >= 200, row.latency)
    assert(row.file:find("^pipe:%[%d+%]$"), row.file)
    for _, other in ipairs(run({ "--json", "100" }):rows()) do
        assert(other.comm ~= "cat", other.file)
    end
end)

os.execute("rm -rf " .. FOLDER)
