-- SPDX-License-Identifier: Apache-2.0
-- funcslower: calls that take longer, with their arguments, result and stack, and no others.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef("int getpid(void); int usleep(unsigned); long write(int, const void *, size_t);")
local PID = ffi.C.getpid()

local function sleeps()
    ffi.C.usleep(100)
    ffi.C.usleep(431000)
    ffi.C.usleep(100)
end

t.test("slow calls with argument, result and stack", function()
    local found = tool.run("funcslower", { "--json", "-m", 400, "-a", 1, "-U", "-p", PID, "c:usleep", "c:write" }, function(running)
        sleeps()
        running:sees("usleep")
    end)
    local rows = found:rows()
    local row = found:row({ func = "usleep", args = ("0x%x"):format(431000) })
    assert(row.lat >= 431000, found.out)
    t.equal(row.ret, "0x0")
    t.equal(row.pid, PID)
    t.equal(row.comm, "bpflua")
    assert(#row.stack > 0, found.out)
    for _, other in ipairs(rows) do
        assert(other.lat >= 400000, found.out)
    end
end)

t.test("folded", function()
    local found = tool.run("funcslower", { "-m", 400, "-f", "-U", "-p", PID, "c:usleep" }, function(running)
        sleeps()
        running:sees("bpflua;")
    end)
    for line in found.out:gmatch("[^\n]+") do
        assert(tonumber(line:match("^bpflua;.* ([%d.]+)$")) >= 400000, line)
    end
end)

t.test("functions of the kernel", function()
    local ok, found = pcall(tool.run, "funcslower", { "--json", "-m", 400, "-K", "-p", PID, "do_nanosleep" }, function(running)
        sleeps()
        running:sees("do_nanosleep")
    end)
    if not ok and t.lacks(found) then
        return t.skip("functions of the kernel", tostring(found):match("error: ([^\n]*)"))
    end
    assert(ok, found)
    local row = found:row({ func = "do_nanosleep" })
    assert(row.lat >= 400000 and #row.stack > 0, found.out)
end)
