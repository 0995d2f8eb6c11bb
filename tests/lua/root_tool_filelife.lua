-- SPDX-License-Identifier: Apache-2.0
-- filelife: how long files were there that were made and removed.

local t = require("harness")
local tool = require("help.tool")

local FOLDER = tool.sh("mktemp -d"):gsub("\n", "")

t.test("the age of a file that another process removes", function()
    local before = os.tmpname()
    local pid
    local found = tool.run("filelife", { "--json" }, function(running)
        tool.sh(("cd %s; echo x >short-lived; echo y >kept; sleep 0.3; echo again >>short-lived"):format(FOLDER))
        pid = tonumber(tool.sh(("cd %s; sh -c 'echo $$; exec rm short-lived %s'"):format(FOLDER, before)))
        tool.sh(("cd /; perl -e 'open(A, \">\", $ARGV[0]); unlink($ARGV[0])' %s/last"):format(FOLDER))
        running:sees('"last"')
    end)
    local row = found:row({ pid = pid, file = "short-lived" })
    t.equal(row.comm, "rm")
    assert(row.age >= 0.3 and row.age < 60, row.age)
    t.equal(found:row({ file = "last" }).comm, "perl")
    for _, other in ipairs(found:rows()) do
        assert(other.file ~= "kept" and other.file ~= before:match("[^/]*$"), other.file)
    end
end)

t.test("a removal that fails is none", function()
    local found = tool.run("filelife", {}, function(running)
        tool.sh(("cd %s; echo x >file; rm -f file/none 2>/dev/null; sleep 0.1; echo x >second; rm file second"):format(FOLDER))
        running:sees("second")
    end)
    t.contains(found.out, "TIME     PID     COMM             AGE(s)    FILE\n")
    local _, count = found.out:gsub(" file\n", "")
    t.equal(count, 1)
end)

os.execute("rm -rf " .. FOLDER)
