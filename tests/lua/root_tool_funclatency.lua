-- SPDX-License-Identifier: Apache-2.0
-- funclatency: slept times are in the right bucket, every call is counted, levels of one function are each timed.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef("int getpid(void); int getppid(void); int usleep(unsigned);")
local PID = ffi.C.getpid()

local function count_between(histogram, low, high)
    local count = 0
    for _, bucket in ipairs(histogram.buckets) do
        if bucket.low >= low and bucket.high <= high then
            count = count + bucket.count
        end
    end
    return count
end

local function sleeps()
    for _ = 1, 5 do
        ffi.C.usleep(20000)
    end
end

t.test("a function of a library, in the right bucket", function()
    local found = tool.run("funclatency", { "--json", "-u", "-p", PID, "c:usleep" }, sleeps)
    local histogram = found:rows()[1].histogram
    t.equal(histogram.unit, "usecs")
    -- A loaded machine sleeps longer, never shorter.
    assert(count_between(histogram, 16384, 2 ^ 40) >= 5, found.out)
    t.equal(count_between(histogram, 0, 16383), 0)
end)

t.test("a histogram for each function, each call counted", function()
    local found = tool.run("funclatency", { "--json", "-F", "-r", "-p", PID, "c:^(usleep|getppid)$" }, function()
        sleeps()
        for _ = 1, 300 do
            ffi.C.getppid()
        end
    end)
    local by_name = {}
    for _, row in ipairs(found:rows()) do
        by_name[row.histogram.section] = row.histogram
    end
    t.equal(by_name.getppid.unit, "nsecs")
    t.equal(count_between(by_name.getppid, 0, 2 ^ 60), 300)
    assert(count_between(by_name.usleep, 2 ^ 24, 2 ^ 60) >= 5, found.out)
end)

t.test("a function of the kernel", function()
    local ok, found = pcall(tool.run, "funclatency", { "-m", "-p", PID, "__x64_sys_clock_nanosleep" }, sleeps)
    if not ok and t.lacks(found) then
        return t.skip("functions of the kernel", tostring(found):match("error: ([^\n]*)"))
    end
    assert(ok, found)
    assert(found.out:find("\n +16 %-> 31 "), found.out)
    t.contains(found.out, "avg = ")
end)

t.test("what has no end is refused", function()
    local outcome = tool.start("funclatency", { "t:sched:sched_switch" }):finish(false)
    t.contains(outcome.err, "cannot time `t:sched:sched_switch`: only functions have a beginning and an end")
    assert(outcome.status ~= 0)
end)
