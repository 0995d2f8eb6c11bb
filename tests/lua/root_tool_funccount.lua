-- SPDX-License-Identifier: Apache-2.0
-- funccount: calls are counted exactly, by function, of one process; user functions, tracepoints, functions of the kernel.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef("int getpid(void); int getpgid(int); int getsid(int); int open(const char *, int); long read(int, void *, size_t);")
local PID = ffi.C.getpid()

local function calls(groups, sessions)
    return function()
        for _ = 1, groups do
            ffi.C.getpgid(0)
        end
        for _ = 1, sessions do
            ffi.C.getsid(0)
        end
    end
end

-- Runs it beside calls of this process; nil and a note where the kernel has no probes of this kind.
local function counted(name, ...)
    local ok, found = pcall(tool.run, "funccount", { "--json", "-p", PID, ... }, calls(500, 70))
    if not ok and t.lacks(found) then
        return t.skip(name, tostring(found):match("error: ([^\n]*)"))
    end
    assert(ok, found)
    return found
end

t.test("functions of a library, each by its name", function()
    local found = counted("c:", "-r", "c:^get(pgid|sid)$")
    t.equal(#found:rows(), 2)
    t.equal(found:row({ func = "getpgid" }).count, 500)
    t.equal(found:row({ func = "getsid" }).count, 70)
    t.equal(counted("c:", "c:getpgi*"):row({ func = "getpgid" }).count, 500)
end)

t.test("tracepoints", function()
    local found = counted("t:", "t:syscalls:sys_enter_get[ps]*id")
    t.equal(found:row({ func = "syscalls:sys_enter_getpgid" }).count, 500)
    t.equal(found:row({ func = "syscalls:sys_enter_getsid" }).count, 70)
end)

t.test("functions of the kernel", function()
    local one = counted("kernel", "__x64_sys_getpgid")
    if one then
        t.equal(one:row({ func = "__x64_sys_getpgid" }).count, 500)
    end
    local several = counted("kernel by regular expression", "-r", "__x64_sys_get(pgid|sid)$")
    if several then
        t.equal(several:row({ func = "__x64_sys_getpgid" }).count, 500)
        t.equal(several:row({ func = "__x64_sys_getsid" }).count, 70)
    end
end)

t.test("intervals show what came, with the time", function()
    local found = tool.run("funccount", { "-i", "0.2", "-T", "-p", PID, "c:getpgid" }, function(running)
        calls(30, 0)()
        running:sees("getpgid +30\n")
        calls(12, 0)()
        running:sees("getpgid +12\n")
    end)
    assert(found.out:find("^Tracing 1 probe... Hit Ctrl%-C to end.\n"))
    assert(found.out:find("\n%d%d:%d%d:%d%d getpgid +30\n"))
end)

t.test("what is no probe is told", function()
    local function refused(...)
        local outcome = tool.start("funccount", { ... }):finish(false)
        assert(outcome.status ~= 0)
        return outcome.err
    end
    t.contains(refused("x:y:z"), "cannot use the probe `x:y:z`: `x` is no kind of probe")
    t.contains(refused("t:sched_switch"), "cannot use the probe `t:sched_switch`")
    t.contains(refused("c:no_such_function"), "no_such_function")
    t.contains(refused("-r", "c:(unclosed"), "(unclosed")
end)
