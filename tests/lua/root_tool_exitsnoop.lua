-- SPDX-License-Identifier: Apache-2.0
-- exitsnoop: why a process ended, its age, and each of its threads.

local t = require("harness")
local tool = require("help.tool")

t.test("codes, signals and ages", function()
    local out
    local found = tool.run("exitsnoop", { "--json" }, function(running)
        out = tool.sh([[
            sh -c 'echo exit $$; exit 3'; sh -c 'echo signal $$; kill -TERM $$'; sh -c 'echo slept $$; exec sleep 0.3'; sh -c 'echo last $$']])
        running:sees('"pid":' .. out:match("last (%d+)"))
    end)
    local row = found:row({ pid = tonumber(out:match("exit (%d+)")) })
    t.equal(row.code, 3)
    t.equal(row.signal, nil)
    t.equal(row.comm, "sh")
    assert(row.ppid > 1 and row.tid == row.pid)
    row = found:row({ pid = tonumber(out:match("signal (%d+)")) })
    t.equal(row.signal, "SIGTERM")
    t.equal(row.code, 0)
    row = found:row({ pid = tonumber(out:match("slept (%d+)")), comm = "sleep" })
    assert(row.age >= 0.3 and row.age < 60, row.age)
end)

t.test("threads, failures, labels", function()
    local pid
    local found = tool.run("exitsnoop", { "--json", "--per-thread" }, function(running)
        pid = tonumber(tool.sh([[python3 -c 'import os, threading; print(os.getpid(), flush=True); x = threading.Thread(target=int); x.start(); x.join()']]))
        running:sees('"pid":' .. pid .. ',"ppid":%d+,"tid":' .. pid)
    end)
    local threads = 0
    for _, row in ipairs(found:rows()) do
        threads = threads + (row.pid == pid and 1 or 0)
    end
    t.equal(threads, 2)
    found = tool.run("exitsnoop", { "-x", "-t", "--label", "here" }, function(running)
        tool.sh("true; sh -c 'exit 7'")
        running:sees("   7 ")
    end)
    t.contains(found.out, "here   sh ")
    assert(not found.out:find(" true "), found.out)
end)
