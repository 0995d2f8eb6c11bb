-- SPDX-License-Identifier: Apache-2.0
-- One-liners over functions of the kernel.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
int getpid(void);
int open(const char *path, int flags);
long read(int fd, void *buffer, size_t size);
int close(int fd);
]])

local me = ffi.C.getpid()
local buffer = ffi.new("char[64]")

local function read(times, size)
    local fd = ffi.C.open("/etc/passwd", 0)
    for _ = 1, times do
        ffi.C.read(fd, buffer, size or 10)
    end
    ffi.C.close(fd)
end

-- A one-liner, or nothing where the kernel has no such probes.
local function try(name, make, ...)
    local ok, result = pcall(make, ...)
    if ok then
        return result
    elseif t.lacks(result) then
        t.skip(name, tostring(result):match("[^\n]*"))
        return nil
    end
    error(result, 0)
end

local function test(name, make, arguments, body)
    t.test(name, function()
        local one = try(name, make, unpack(arguments))
        if one then
            body(one)
        end
    end)
end

test("a kprobe, by the function's arguments", BPF.count,
    { "kprobe:vfs_read", "file.f_path.dentry.d_name.name", "count", { pid = me } }, function(count)
        read(13)
        local row
        for _, one in ipairs(count:stop():rows()) do
            row = one["file.f_path.dentry.d_name.name"] == "passwd" and one or row
        end
        t.equal(row.count, 13)
        t.equal(row["args.count"], 10)
    end)

test("a kprobe, by the number of an argument", BPF.count, { "kprobe:vfs_read", "arg2", { pid = me, filter = "count == 11" } },
    function(count)
        read(5, 11)
        local rows = count:stop():rows()
        t.equal(#rows, 1)
        t.equal(rows[1].arg2, 11)
        t.equal(rows[1].count, 5)
    end)

test("kprobes of a pattern are told apart", BPF.count, { "kprobe:vfs_rea*", "func", "probe", { pid = me } }, function(count)
    read(7)
    local row
    for _, one in ipairs(count:stop():rows()) do
        row = one.func == "vfs_read" and one or row
    end
    t.equal(row.count >= 7, true)
    t.equal(row.probe, "kprobe:vfs_read")
end)

test("results of a kretprobe", BPF.hist, { "kretprobe:vfs_read", "retval", { pid = me } }, function(hist)
    read(9, 40)
    t.equal(hist:stop():rows()[1].slots[6] >= 9, true)
end)

test("results by function", BPF.count, { "kretprobe:vfs_rea*", "func", { pid = me } }, function(count)
    read(4)
    local row
    for _, one in ipairs(count:stop():rows()) do
        row = one.func == "vfs_read" and one or row
    end
    t.equal(row.count >= 4, true)
end)

test("how long a function takes", BPF.latency, { "vfs_read", "func", { pid = me, units = "ns" } }, function(latency)
    read(15)
    local row = latency:stop():rows()[1]
    t.equal(row.func, "vfs_read")
    t.equal(row.count >= 15, true)
    t.contains(latency:text(), "nsecs")
end)

test("how long several functions take", BPF.latency, { "kprobe:vfs_rea*", "func", { pid = me, units = "ns" } }, function(latency)
    read(6)
    local row
    for _, one in ipairs(latency:stop():rows()) do
        row = one.func == "vfs_read" and one or row
    end
    t.equal(row.count >= 6, true)
end)

local seen
local function keep(event)
    seen = seen or event.count == 33 and event
end

test("entry and return by BTF", BPF.trace, { "fexit:vfs_read", "count", "retval", "file.f_flags", { pid = me, handler = keep } },
    function(trace)
        read(1, 33)
        for _ = 1, 100 do
            BPF.sleep(0.05)
            if seen then
                break
            end
        end
        trace:stop()
        t.equal(seen.retval, 33)
    end)

test("how long, by BTF", BPF.latency, { "fentry:vfs_read", "file.f_path.dentry.d_name.name", "retval", { pid = me } }, function(latency)
    read(3, 21)
    local row
    for _, one in ipairs(latency:stop():rows()) do
        row = one.retval == 21 and one or row
    end
    t.equal(row.count, 3)
    t.equal(row["file.f_path.dentry.d_name.name"], "passwd")
end)

test("functions of a pattern that lack an argument are left out", BPF.count, { "kprobe:vfs_rea*", "file.f_flags", { pid = me } }, function(count)
    read(2)
    count:stop()
    t.equal(count:rows()[1].count >= 2, true)
end)

test("stacks", BPF.stacks, { "kprobe:vfs_read", { pid = me } }, function(stacks)
    read(8)
    stacks:stop()
    t.contains(stacks:text(), "vfs_read")
end)

t.test("arguments are gone when a function returns", function()
    t.contains(t.fails(BPF.count, "kretprobe:vfs_read", "arg0"), "a function's arguments are gone when it returns")
end)
