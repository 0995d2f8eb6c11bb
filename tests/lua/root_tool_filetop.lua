-- SPDX-License-Identifier: Apache-2.0
-- filetop: reads, writes and bytes by file and thread; one folder; the sorting.

local t = require("harness")
local tool = require("help.tool")

local FOLDER = tool.sh("mktemp -d"):gsub("\n", "")

t.test("counts and bytes", function()
    local writer, reader
    local found = tool.run("filetop", { "--json", "-d", FOLDER, "600" }, function()
        tool.sh(("mkdir -p %s/a/b; head -c 9000 /dev/zero >%s-outside; rm %s-outside"):format(FOLDER, FOLDER, FOLDER))
        writer = tonumber(tool.sh(("cd %s; sh -c 'echo $$; exec dd if=/dev/zero of=a/b/file bs=2048 count=10 2>/dev/null'"):format(FOLDER)))
        reader = tonumber(tool.sh(("cd %s; sh -c 'echo $$; exec dd if=a/b/file of=/dev/null bs=1024 2>/dev/null'"):format(FOLDER)))
    end)
    local row = found:row({ pid = writer, file = "file" })
    t.equal(row.writes, 10)
    t.equal(row.wkb, 20)
    t.equal(row.reads, 0)
    t.equal(row.type, "R")
    t.equal(row.comm, "dd")
    row = found:row({ pid = reader, file = "file" })
    t.equal(row.reads, 21) -- the last one is told that it is the end
    t.equal(row.rkb, 20)
    for _, other in ipairs(found:rows()) do
        t.equal(other.file, "file")
    end
end)

t.test("tables, sorted; only writes; a folder that is none", function()
    local found = tool.run("filetop", { "-C", "--write-only", "-s", "writes", "-r", "1", "600" }, function()
        tool.sh(("dd if=/dev/zero of=%s/many bs=1 count=20000 2>/dev/null"):format(FOLDER))
    end)
    t.contains(found.out, "TID     PID     COMM              READS WRITES     R_Kb     W_Kb T FILE\n")
    assert(found.out:find("dd +0  20000 +0 +20 R many\n"), found.out)
    local outcome = tool.start("filetop", { "-d", "/etc/passwd" }):finish(false)
    t.equal(outcome.status, 1)
    t.contains(outcome.err, "cannot count the files below `/etc/passwd`: it is no folder")
end)

os.execute("rm -rf " .. FOLDER)
