-- SPDX-License-Identifier: Apache-2.0
-- biosnoop: every request with its process, place, size and a time.

local t = require("harness")
local disk = require("help.disk")
local tool = require("help.tool")

t.test("writes and reads of two processes", function()
    disk.with(function(path, name)
        local writer, reader
        local found = tool.run("biosnoop", { "--json", "-Q", "-P", "-d", name }, function(running)
            writer = disk.write(path, 65536, 10)
            reader = disk.read(path, 4096, 7)
            running:sees(('"pid":%d[^\n]*"sector":48,'):format(reader))
        end)
        for i = 0, 9 do
            local row = found:row({ pid = writer, type = "W", sector = i * 128 })
            t.equal(row.bytes, 65536)
            t.equal(row.comm, "dd")
            t.equal(row.disk, name)
            assert(row.latency > 0 and row.latency < 60000 and row.queued >= 0 and row.queued < 60000)
            assert(i == 0 or row.pattern == "S", row.pattern)
        end
        for i = 0, 6 do
            t.equal(found:row({ pid = reader, type = "R", sector = i * 8 }).bytes, 4096)
        end
    end)
end)

t.test("headings", function()
    local found = tool.run("biosnoop", {}, function() end)
    t.contains(found.out, "TIME(s)     COMM            PID     DISK      T SECTOR     BYTES   LAT(ms)\n")
end)
