-- SPDX-License-Identifier: Apache-2.0
-- oomkill: a process that wants more than its control group may have is killed, and told.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

pcall(ffi.cdef, "int mkdir(const char *path, unsigned int mode); int rmdir(const char *path);")

local function write(path, text)
    local file = io.open(path, "w")
    if not file then
        return false
    end
    file:write(text)
    return file:close()
end

-- A control group with little memory, of version 2 or 1; nil where the kernel's memory controller is not to be had.
local function group()
    for line in io.lines("/proc/self/mounts") do
        local root, kind, options = line:match("^%S+ (%S+) (cgroup2?) (%S+)")
        if kind == "cgroup2" or kind == "cgroup" and ("," .. options .. ","):find(",memory,", 1, true) then
            local folder = root .. "/bpflua_oomkill"
            write(root .. "/cgroup.subtree_control", "+memory")
            ffi.C.mkdir(folder, 493)
            write(folder .. "/memory.swap.max", "0")
            if write(folder .. "/memory.max", "20971520") or write(folder .. "/memory.limit_in_bytes", "20971520") then
                return folder
            end
            ffi.C.rmdir(folder)
        end
    end
end

local folder = group()
t.test_unless(not folder and "there is no control group of memory", "a process in a small control group", function()
    local pid
    local ok, found = pcall(tool.run, "oomkill", { "--json" }, function(running)
        if running:status() then
            return
        end
        pid = tonumber(tool.sh(("sh -c 'echo $$ | tee %s/cgroup.procs; exec perl -e \"my \\$x = q(x) x 100_000_000; print length \\$x\"'"):format(folder)):match("^%d+"))
        running:sees("perl")
    end)
    ffi.C.rmdir(folder)
    assert(ok, found)
    local row = found:row({ pid = pid })
    t.equal(row.comm, "perl")
    t.equal(row.trigger_pid, pid)
    t.equal(row.trigger_comm, "perl")
    assert(row.total_vm > 20971520 and row.total_vm < 500e6, row.total_vm)
    -- 20 MiB in pages of 4 KiB.
    assert(row.pages == nil or row.pages == 5120, tostring(row.pages))
    assert(row.loadavg:find("^[%d.]+ [%d.]+ [%d.]+ %d+/%d+ %d+$"), row.loadavg)
end)

t.test("headings, the end after a time", function()
    local running = tool.start("oomkill", { "-d", "0.2" })
    local found = running:finish(false)
    t.equal(found.status, 0)
    t.contains(found.out, "TIME     TRIGGER  TRIGGER COMM     PID      COMM                  PAGES     TOTAL_VM LOADAVG\n")
end)
