-- SPDX-License-Identifier: Apache-2.0
-- opensnoop: files that were opened are told with the process, the result, the flags, and the whole path.

local t = require("harness")
local tool = require("help.tool")

local FOLDER = tool.sh("mktemp -d"):gsub("\n", "")

t.test("who opened what, and what could not be opened", function()
    local pid
    local found = tool.run("opensnoop", { "--json", "-e", "-F", "-U" }, function(running)
        pid = tonumber(tool.sh(("cd %s; sh -c 'echo $$; exec cat ../%s/made ./absent ' 2>/dev/null; true >made"):format(FOLDER, FOLDER:match("[^/]*$"))):match("%d+"))
        tool.sh("cat " .. FOLDER .. "/last 2>&1")
        running:sees(FOLDER .. "/last")
    end)
    local row = found:row({ pid = pid, comm = "cat", path = FOLDER .. "/absent" })
    t.equal(row.err, 2)
    t.equal(row.fd, -1)
    t.equal(row.flags, "00000000")
    t.equal(row.uid, 0)
    row = found:row({ comm = "sh", path = FOLDER .. "/made" })
    assert(row.fd >= 0 and row.err == 0)
    t.equal(row.flags, "00001101") -- O_WRONLY | O_CREAT | O_TRUNC
    t.equal(row.mode, "0666")
end)

t.test("filters: names, flags, failures; a name that is no flag", function()
    local found = tool.run("opensnoop", { "-n", "perl", "-f", "O_WRONLY", "-x" }, function(running)
        tool.sh([[perl -e 'open(A, "<", "/no/reading"); open(A, ">", "/no/writing"); open(A, ">", "/dev/null")'; sh -c 'echo >/no/shell' 2>&1]])
        running:sees("/no/writing")
    end)
    t.contains(found.out, "PID    COMM               FD ERR PATH\n")
    t.contains(found.out, "perl               -1   2 /no/writing\n")
    assert(not found.out:find("/no/reading") and not found.out:find("/dev/null") and not found.out:find("/no/shell"), found.out)
    local outcome = tool.start("opensnoop", { "-f", "O_WRONGLY" }):finish(false)
    t.equal(outcome.status, 1)
    t.contains(outcome.err, "cannot show calls with the flag `O_WRONGLY`")
end)

os.execute("rm -rf " .. FOLDER)

t.test("a command, from its beginning to its end", function()
    local running = tool.start("opensnoop", { "--json", "--exec", "cat /no/such/file" })
    tool.sh("cat /no/such/file 2>&1")
    local outcome = running:finish(false)
    t.equal(outcome.status, 0)
    local pid = outcome:row({ comm = "cat", path = "/no/such/file", err = 2 }).pid
    for _, row in ipairs(outcome:rows()) do
        t.equal(row.pid, pid)
    end
end)
