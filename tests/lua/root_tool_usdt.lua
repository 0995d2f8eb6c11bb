-- SPDX-License-Identifier: Apache-2.0
-- USDT probes of a program in the tools that take any probe: trace, argdist, funccount, stackcount; and tplist, which lists them.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")
local tool = require("help.tool")

local lacking = programs.lacking() or ffi.arch ~= "x64" and "it is for x86-64"

local TEXT = [[
#include "probe.h"
int main(void)
{
    const char *words[] = { "one", "three" };
    /* What nobody has read is not in memory yet, and a program in the kernel cannot fetch it. */
    volatile char first = words[0][0] + words[1][0];
    (void)first;
    for (int i = 0; i < 20; i++)
        PROBE_WITH("0", "test", "word", "-4@%0 8@%1", "r"(i - 5), "r"(words[i & 1]));
    return 0;
}
]]

t.test_unless(lacking, "a program's probe", function()
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/program", TEXT, " -I../fixtures/usdt")
        local function run(name, ...)
            return tool.run(name, { "--json", ... }, function()
                tool.sh(path)
                tool.sh(path)
            end)
        end
        local probe = ("u:%s:word"):format(path)
        t.equal(run("funccount", probe):rows()[1].count, 40)
        local traced = run("trace", ('u:%s:test:word (arg1 == -4) "%%d %%s", arg1, arg2'):format(path))
        t.equal(#traced:rows(), 2)
        t.equal(traced:rows()[1].message, "-4 three")
        local counted = run("argdist", "-i", 60, "-C", probe .. "():char*:arg2:arg1>=0", "-H", probe .. "():int:arg1:arg1>7#ones")
        t.equal(counted:row({ event = "arg2 = one" }).count, 14)
        t.equal(counted:row({ event = "arg2 = three" }).count, 16)
        t.equal(counted:rows()[3].histogram.buckets[1].count, 14)
        local stacks = run("stackcount", probe):rows()
        local hits = 0
        for _, row in ipairs(stacks) do
            hits = hits + row.value
        end
        t.equal(hits, 40)
        local listed = tool.start("tplist", { "--json", "-v", "-l", path }):finish(false)
        t.equal(listed:row({ probe = "test:word" }).locations, 1)
        t.contains(listed:rows()[1].arguments[1], "1: int32_t -4@")
    end)
end)

local WAITING = [[
#include <unistd.h>
#include "probe.h"
int main(void)
{
    PROBE_WITH("0", "test", "waits", "-4@%0", "r"(7));
    return pause();
}
]]

t.test_unless(lacking, "the probes of a process", function()
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/waiting", WAITING, " -I../fixtures/usdt")
        local pid = tonumber(tool.sh(path .. " >/dev/null 2>&1 & echo $!"))
        local listed = tool.start("tplist", { "--json", "-p", pid, "test:*" }):finish(false)
        local others = tool.start("tplist", { "--json", "-p", pid, "test:word" }):finish(false)
        os.execute("kill " .. pid)
        t.equal(#listed:rows(), 1)
        t.contains(listed:row({ probe = "test:waits", locations = 1 }).path, "/waiting")
        t.equal(others.status, 1)
        tool.wait_for("the process is gone", function()
            return tool.sh(("test -e /proc/%d || echo gone"):format(pid)) ~= ""
        end)
        local gone = tool.start("tplist", { "-p", pid }):finish(false)
        t.equal(gone.status, 3)
        t.contains(gone.err, ("there is no process %d"):format(pid))
    end)
end)

t.test("tracepoints are listed with their fields", function()
    local listed = tool.start("tplist", { "--json", "-v", "sched:sched_wake*" }):finish(false)
    t.contains(table.concat(listed:row({ tracepoint = "sched:sched_wakeup" }).fields, " "), "pid_t pid; int prio;")
    for _, row in ipairs(listed:rows()) do
        t.contains(row.tracepoint, "sched:sched_wake")
    end
    local nothing = tool.start("tplist", { "no:such*" }):finish(false)
    t.contains(nothing.err, "cannot list `no:such*`: there is no such tracepoint")
    t.equal(nothing.status, 1)
end)
