-- SPDX-License-Identifier: Apache-2.0
-- killsnoop: who sent which signal to whom, with what result.

local t = require("harness")
local tool = require("help.tool")

t.test("signals that arrive, and that cannot", function()
    local target, pid
    local found = tool.run("killsnoop", { "--json" }, function(running)
        target = tonumber(tool.sh("sleep 60 >/dev/null & echo $!"))
        pid = tonumber(tool.sh(([[perl -e 'print $$; kill "USR1", %d; kill 9, 2147483646; kill 0, $$']]):format(target)))
        running:sees('"signal":0,"name":null,"tpid":' .. pid)
    end)
    local row = found:row({ pid = pid, tpid = target })
    t.equal(row.signal, 10)
    t.equal(row.name, "SIGUSR1")
    t.equal(row.result, 0)
    t.equal(row.comm, "perl")
    t.equal(row.syscall, "kill")
    t.equal(found:row({ pid = pid, tpid = 2147483646 }).result, -3)
end)

t.test("filters by signal and failure; tgkill; a wrong signal", function()
    local found = tool.run("killsnoop", { "--json", "-s", "USR2,9" }, function(running)
        tool.sh([[perl -e '$SIG{USR2} = sub {}; $SIG{USR1} = sub {}; kill "USR1", $$; kill "USR2", $$']])
        tool.sh([[python3 -c 'import signal, threading; signal.signal(12, signal.SIG_IGN); signal.pthread_kill(threading.get_ident(), 12)']])
        running:sees("tgkill")
    end)
    for _, row in ipairs(found:rows()) do
        assert(row.signal == 12 or row.signal == 9, row.signal)
    end
    t.equal(found:row({ syscall = "tgkill" }).comm, "python3")
    local outcome = tool.start("killsnoop", { "-s", "KILL,USR7" }):finish(false)
    t.equal(outcome.status, 1)
    t.contains(outcome.err, "cannot show the signal `USR7`")
end)
