-- SPDX-License-Identifier: Apache-2.0
-- fsslower and fsdist: operations of one kind of file system, by its functions where they can be probed, and by system calls.

local t = require("harness")
local tool = require("help.tool")

-- Writes and reads a file below a folder; prints its process.
local WORK = [[python3 -c '
import os, sys
f = os.open(sys.argv[1] + "/file", os.O_CREAT | os.O_RDWR)
for i in range(4): os.pwrite(f, b"x" * 5000, i * 8192)
os.fsync(f)
for i in range(3): os.pread(f, 5000, i * 8192)
print(os.getpid())
' %s]]

local function kind_of(folder)
    local best, kind = 0, nil
    for line in io.lines("/proc/self/mountinfo") do
        local at, name = line:match("^%S+ %S+ %S+ %S+ (%S+) .* %- (%S+) ")
        if folder:sub(1, #at) == at and #at >= best then
            best, kind = #at, name
        end
    end
    return kind
end

local function check(folder, ...)
    local kind, pid = kind_of(folder), nil
    local found = tool.run("fsslower", { "--json", "-t", kind, "0", ... }, function(running)
        pid = tonumber(tool.sh(WORK:format(folder)))
        running:sees('"R","bytes":5000,"offset":16,')
    end)
    local counts = {}
    for _, row in ipairs(found:rows()) do
        if row.pid == pid and row.file == folder .. "/file" then
            counts[row.op] = (counts[row.op] or 0) + 1
        end
    end
    t.equal(counts.W, 4)
    t.equal(counts.R, 3)
    t.equal(counts.O, 1)
    t.equal(counts.S, 1)
    local row = found:row({ pid = pid, op = "W", offset = 24 })
    t.equal(row.bytes, 5000)
    t.equal(row.comm, "python3")
    assert(row.latency > 0 and row.latency < 60000)
end

local on_disk = tool.sh("mktemp -d"):gsub("\n", "")
local in_memory = tool.sh("mktemp -d -p /dev/shm"):gsub("\n", "")

t.test("a file system on a disk", function()
    check(on_disk)
end)

t.test("a file system whose functions are not known", function()
    check(in_memory)
end)

t.test("histograms of each operation", function()
    local kind = kind_of(on_disk)
    local found = tool.run("fsdist", { "--json", "-t", kind }, function()
        tool.sh(WORK:format(on_disk))
    end)
    local counts = {}
    for _, row in ipairs(found:rows()) do
        for _, bucket in ipairs(row.histogram.buckets) do
            counts[row.histogram.section] = (counts[row.histogram.section] or 0) + bucket.count
        end
        t.equal(row.histogram.unit, "usecs")
    end
    assert(counts.write >= 4 and counts.read >= 3 and counts.open >= 1 and counts.fsync >= 1, found.out)
end)

t.test("a kind that there is not; the tools of one kind", function()
    local outcome = tool.start("fsslower", { "-t", "ext5" }):finish(false)
    t.equal(outcome.status, 1)
    t.contains(outcome.err, "cannot trace the file system `ext5`")
    for _, name in ipairs({ "ext4slower", "ext4dist" }) do
        t.contains(tool.sh(("'%s' %s --help"):format(tool.self(), name)), "Usage: " .. name)
    end
end)

os.execute(("rm -rf %s %s"):format(on_disk, in_memory))
