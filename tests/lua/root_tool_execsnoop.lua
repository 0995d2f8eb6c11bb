-- SPDX-License-Identifier: Apache-2.0
-- execsnoop: programs that started are told with their arguments, and no others.

local t = require("harness")
local tool = require("help.tool")

t.test("what started, with its arguments and parent", function()
    local pid
    local found = tool.run("execsnoop", { "--json" }, function(running)
        pid = tonumber(tool.sh("sh -c 'echo $$; exec /bin/echo one \"two three\" four' | head -1"))
        running:sees("two three")
    end)
    local row = found:row({ pid = pid, comm = "echo" })
    t.equal(row.args, "/bin/echo one two three four")
    t.equal(row.ret, 0)
    assert(row.ppid > 0)
end)

t.test("failures when asked for", function()
    local function run(...)
        return tool.run("execsnoop", { "--json", ... }, function(running)
            tool.sh("/no/such/program 2>/dev/null; /bin/true; /bin/echo last")
            running:sees("/bin/echo last")
        end)
    end
    t.equal(run("-x"):row({ args = "/no/such/program" }).ret, -2)
    for _, row in ipairs(run():rows()) do
        assert(row.ret == 0, row.args)
    end
end)

t.test("names, quotes, text", function()
    local found = tool.run("execsnoop", { "-n", "ech", "-q" }, function(running)
        tool.sh("/bin/true; /bin/echo 'a b'")
        running:sees("/bin/echo")
    end)
    t.contains(found.out, "PCOMM            PID     PPID    RET ARGS\n")
    t.contains(found.out, '  0 "/bin/echo" "a b"\n')
    assert(not found.out:find("/bin/true"))
end)
