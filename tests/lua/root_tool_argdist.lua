-- SPDX-License-Identifier: Apache-2.0
-- argdist: values are counted exactly, and are in the right bucket; at returns with those of the beginning and the time between.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef("int getpid(void); long write(int, const void *, size_t); int open(const char *, int); int usleep(unsigned);")
local PID = ffi.C.getpid()
local NULL = ffi.C.open("/dev/null", 1)

local function writes()
    for _ = 1, 30 do
        ffi.C.write(NULL, "12345678", 8)
    end
    for _ = 1, 7 do
        ffi.C.write(NULL, "abc", 3)
    end
    ffi.C.open("/no/such/file", 0)
end

-- All that one run counts: it is shown when it is told to end.
local found = tool.run("argdist", {
    "--json", "-i", "60", "-p", PID, "-z", "32",
    "-C", ("p:c:write(int fd, const char *buf, size_t n):size_t,char*:n,buf:fd==%d"):format(NULL),
    "-C", "r:c:open(const char *path):int,const char *:$retval,$entry(path):(int)$retval<0#failed opens",
    "-C", ("t:syscalls:sys_enter_write():u64,int:args->count,args->fd:args->fd == %d"):format(NULL),
    "-C", 'p:c:write(int fd, const char *buf):u64:$PID:STRCMP("abc", buf)#abc',
    "-H", ("p:c:write(int fd, const void *buf, size_t n):size_t:n:fd==%d"):format(NULL),
    "-H", "r:c:usleep(unsigned us):u64:$latency/1000:$entry(us)==31000#slept",
}, function()
    writes()
    ffi.C.usleep(31000)
end)

local function histogram(title)
    for _, row in ipairs(found:rows()) do
        if row.histogram and row.histogram.title:find(title, 1, true) then
            return row.histogram
        end
    end
    error("no histogram " .. title .. ":\n" .. found.out)
end

local function count_of(buckets, low)
    for _, bucket in ipairs(buckets) do
        if bucket.low == low then
            return bucket.count
        end
    end
end

t.test("values with texts, filtered", function()
    local of_eight = found:row({ event = "n = 8, buf = 12345678" })
    t.equal(of_eight.count, 30)
    t.equal(of_eight.values[1], 8)
    t.equal(found:row({ event = "n = 3, buf = abc" }).count, 7)
    t.equal(found:row({ label = "abc" }).count, 7)
    t.equal(found:row({ label = "abc" }).values[1], PID)
end)

t.test("results with arguments of the beginning", function()
    t.equal(found:row({ label = "failed opens", event = "$retval = -1, $entry(path) = /no/such/file" }).count, 1)
end)

t.test("fields of tracepoints", function()
    t.equal(found:row({ event = ("args->count = 8, args->fd = %d"):format(NULL) }).count, 30)
end)

t.test("histograms, and the time of calls", function()
    local sizes = histogram("p:c:write")
    t.equal(sizes.unit, "n")
    t.equal(count_of(sizes.buckets, 8), 30)
    t.equal(count_of(sizes.buckets, 2), 7)
    local slept = histogram("slept")
    assert(slept.buckets[1].low >= 16384, found.out)
    t.equal(#slept.buckets, 1)
end)

t.test("text, intervals and an end", function()
    local running = tool.start("argdist", { "-n", 1, "-i", "1.5", "-p", PID, "-C", "p:c:write#writes", "-C", "p:c:write(int fd):int:fd", "-T", 1 })
    writes()
    local outcome = running:finish(false)
    t.equal(outcome.status, 0)
    t.contains(outcome.out, "writes\n     COUNT EVENT\n        37 total calls\n")
    t.contains(outcome.out, ("        37 fd = %d\n"):format(NULL))
end)

t.test("headers of the user's own", function()
    local header = os.tmpname()
    local file = assert(io.open(header, "w"))
    file:write("#define ANSWER 42\nstruct of_mine { int number; };\n")
    file:close()
    local counted = tool.run("argdist", { "--json", "-i", 60, "-p", PID, "-I", header, "-C", "p:c:write(int fd):u64:ANSWER + sizeof(struct of_mine)" }, writes)
    os.remove(header)
    t.equal(counted:rows()[1].values[1], 46)
    assert(counted:rows()[1].count >= 37, counted.out)
end)

t.test("counts that go on from interval to interval, of one thread", function()
    local function counts(...)
        local running = tool.start("argdist", { "--json", "-n", 2, "-i", "0.7", "-t", PID, "-C", "p:c:write(int fd):int:fd", ... })
        writes()
        local rows = running:finish(false):rows()
        local list = {}
        for _, row in ipairs(rows) do
            list[#list + 1] = row.count
        end
        return table.concat(list, " ")
    end
    t.equal(counts("-c"), "37 37")
    t.equal(counts(), "37")
    local other = tool.run("argdist", { "--json", "-i", 60, "-t", PID + 1, "-C", "p:c:write(int fd):int:fd" }, writes)
    t.equal(#other:rows(), 0)
end)

t.test("what is wrong is told in the user's words", function()
    local function refused(...)
        local outcome = tool.start("argdist", { ... }):finish(false)
        assert(outcome.status ~= 0)
        return outcome.err
    end
    t.contains(refused("-C", "p:c:write(int fd):int:fdd"), "cannot use `p:c:write(int fd):int:fdd`: use of undeclared identifier 'fdd'")
    t.contains(refused("-C", "c:write"), "it has 2 parts")
    t.contains(refused("-H", "p:c:write(int fd):int,int:fd,fd"), "a histogram is of one expression")
    t.contains(refused("-H", "r:c:write(int fd):int:$entry(fs)"), "the signature has no `fs`")
    t.contains(refused("-H", "p:c:write(int fd):int:$latency"), "`$latency`")
    t.contains(refused(), "there is no specifier")
end)
