-- SPDX-License-Identifier: Apache-2.0
-- biotop: requests and bytes of a process are summed, by operation; the greatest come first.

local t = require("harness")
local disk = require("help.disk")
local tool = require("help.tool")

t.test("who wrote and read how much", function()
    disk.with(function(path, name)
        local writer, reader
        local found = tool.run("biotop", { "--json", "100" }, function()
            writer = disk.write(path, 65536, 10)
            reader = disk.read(path, 4096, 7)
        end)
        local write, read = found:row({ pid = writer, disk = name }), found:row({ pid = reader, disk = name })
        t.equal(write.type .. write.requests .. " " .. write.kbytes, "W10 640")
        t.equal(read.type .. read.requests .. " " .. read.kbytes, "R7 28")
        assert(write.average > 0 and write.average < 60000 and write.comm == "dd")
        local before = math.huge
        for _, row in ipairs(found:rows()) do
            assert(row.kbytes <= before)
            before = row.kbytes
        end
    end)
end)

t.test("one process only, as text, some rows", function()
    disk.with(function(path, name)
        local found = tool.run("biotop", { "-C", "-p", "1", "-r", "3", "0.2", "2" }, function()
            disk.write(path, 65536, 2)
        end)
        t.contains(found.out, "PID     COMM             D MAJ MIN DISK       I/O   Kbytes   AVGms\n")
        t.contains(found.out, " loadavg: ")
        assert(not found.out:find(" " .. name .. " "))
    end)
end)
