-- SPDX-License-Identifier: Apache-2.0
-- biostacks: where in the kernel a request was made, with the times of all.

local t = require("harness")
local disk = require("help.disk")
local tool = require("help.tool")

t.test("the stack of writes", function()
    disk.with(function(path, name)
        local pid
        local found = tool.run("biostacks", { "--json", "-d", name }, function()
            pid = disk.write(path, 65536, 10)
        end)
        local count = 0
        for _, row in ipairs(found:rows()) do
            if row.pid == pid then
                t.equal(row.comm, "dd " .. name)
                count = count + disk.total(row.buckets)
                t.contains(table.concat(row.frames, ";") .. ";", ";vfs_write;")
                assert(not row.frames[1]:find("bpf_"), row.frames[1])
                assert(row.value > 0)
            end
        end
        t.equal(count, 10)
    end)
end)

t.test("folded, and as text", function()
    disk.with(function(path, name)
        local function run(...)
            return tool.run("biostacks", { "-d", name, ... }, function()
                disk.write(path, 65536, 2)
            end).out
        end
        assert(run("--folded"):find("dd " .. name .. ";[^\n]*;vfs_write;[^\n]* %d+\n"))
        assert(run("-m"):find("    vfs_write\n.*\n     msecs  +: count"))
    end)
end)
