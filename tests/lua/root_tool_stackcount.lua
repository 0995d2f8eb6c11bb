-- SPDX-License-Identifier: Apache-2.0
-- stackcount: the stacks that lead to a place, with how often, of processes and of the kernel.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef("int getpid(void); int getpgid(int);")
local PID = ffi.C.getpid()

local function call(times)
    return function()
        for _ = 1, times do
            ffi.C.getpgid(0)
        end
    end
end

local function total(rows)
    local sum = 0
    for _, row in ipairs(rows) do
        sum = sum + row.value
    end
    return sum
end

t.test("stacks of a process, the innermost frame is the function", function()
    local found = tool.run("stackcount", { "--json", "-p", PID, "c:getpgid" }, call(200))
    local rows = found:rows()
    t.equal(total(rows), 200)
    for _, row in ipairs(rows) do
        t.contains(row.frames[1], "getpgid")
        t.equal(row.pid, PID)
        t.equal(row.unit, "hits")
    end
end)

t.test("stacks of the kernel", function()
    local found = tool.run("stackcount", { "--json", "-K", "-p", PID, "t:syscalls:sys_enter_getpgid" }, call(200))
    t.equal(total(found:rows()), 200)
    local function of_function(...)
        local ok, of = pcall(tool.run, "stackcount", { "--json", "-p", PID, ... }, call(100))
        if not ok and t.lacks(of) then
            return t.skip("functions of the kernel", tostring(of):match("error: ([^\n]*)"))
        end
        assert(ok, of)
        return of
    end
    local by_function = of_function("-K", "__x64_sys_getpgid")
    if by_function then
        t.equal(total(by_function:rows()), 100)
    end
end)

t.test("folded, and a flame graph", function()
    local folded = tool.run("stackcount", { "-f", "-U", "-p", PID, "t:syscalls:sys_enter_getpgid" }, call(50)).out
    local sum = 0
    for line in folded:gmatch("[^\n]+") do
        t.contains(line, "bpflua;")
        sum = sum + tonumber(line:match(" (%d+)$"))
    end
    t.equal(sum, 50)
    local file = os.tmpname()
    tool.run("stackcount", { "--flamegraph", file, "-p", PID, "c:getpgid" }, call(50))
    local svg = assert(io.open(file)):read("*a")
    os.remove(file)
    t.contains(svg, "(50 hits, 100")
    t.contains(svg, "getpgid")
end)

t.test("options that exclude each other", function()
    local outcome = tool.start("stackcount", { "-K", "-U", "c:getpgid" }):finish(false)
    t.contains(outcome.err, "`-K` and `-U` exclude each other")
    assert(outcome.status ~= 0)
end)
