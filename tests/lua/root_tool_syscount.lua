-- SPDX-License-Identifier: Apache-2.0
-- syscount: as many calls as were made, by call and by process, and how long they took.

local t = require("harness")
local tool = require("help.tool")

-- Calls getppid(2) a thousand times, fails to open as often as it is told to, and sleeps; prints its process.
local WORK = [[perl -e 'print $$, "\n"; getppid() for 1..1000; open(A, "<", "/no/such/$_") for 1..7; select(undef, undef, undef, 0.2)']]

t.test("counts by call", function()
    local found = tool.run("syscount", { "--json", "--syscall", "getppid" }, function()
        tool.sh(WORK)
    end)
    local row = found:row({ syscall = "getppid" })
    assert(row.count >= 1000 and row.count < 5000, row.count)
end)

t.test("failures by process", function()
    local pid
    local found = tool.run("syscount", { "--json", "-P", "-e", "ENOENT", "--syscall", "openat", "-T", "1000" }, function()
        pid = tonumber(tool.sh("PERL5LIB= " .. WORK))
    end)
    local row = found:row({ pid = pid, comm = "perl" })
    assert(row.count >= 7, row.count)
    t.equal(row.syscall, nil)
end)

t.test("latency, in text and as data", function()
    local found = tool.run("syscount", { "--json", "-L", "-T", "1000" }, function()
        tool.sh(WORK)
    end)
    local select_call
    for _, row in ipairs(found:rows()) do
        if (row.syscall == "select" or row.syscall == "pselect6") and row.total_us >= 200000 then
            select_call = row
        end
    end
    assert(select_call, found.out)
    found = tool.run("syscount", { "-L", "-m", "-i", "0.2" }, function(running)
        tool.sh(WORK)
        running:sees("TIME %(ms%)")
    end)
    t.contains(found.out, "SYSCALL                   COUNT        TIME (ms)\n")
    assert(not found.out:find("TIME %(us%)"), found.out)
end)

t.test("names of calls", function()
    t.contains(tool.start("syscount", { "-l" }):finish(false).out, "\nopenat\n")
    local outcome = tool.start("syscount", { "--syscall", "opennat" }):finish(false)
    t.equal(outcome.status, 1)
    t.contains(outcome.err, "cannot count the system call `opennat`")
end)
