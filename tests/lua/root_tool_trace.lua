-- SPDX-License-Identifier: Apache-2.0
-- trace: values of functions, returns, tracepoints and system calls, filtered and formatted in bcc's spelling.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef("int getpid(void); int getpgid(int); long write(int, const void *, size_t); int open(const char *, int); int setpgid(int, int);")
local PID = ffi.C.getpid()
local NULL = ffi.C.open("/dev/null", 1)

local function traced(args, workload, seen)
    return tool.run("trace", { "--json", "-p", PID, unpack(args) }, function(running)
        workload()
        running:sees(seen)
    end)
end

local function writes()
    ffi.C.write(NULL, "one\n", 4)
    ffi.C.write(NULL, "three\n", 6)
    ffi.C.write(NULL, "last one", 8)
end

t.test("arguments of a library's function, by number and by signature", function()
    local found = traced({ 'c:write (arg3 != 4) "%d %s %lu 0x%x %%", arg1, arg2, arg3, arg3' }, writes, "last one")
    t.equal(found:rows()[1].message, ("%d three\n 6 0x6 %%"):format(NULL))
    t.equal(found:row({ message = ("%d last one 8 0x8 %%"):format(NULL) }).values[3], 8)
    t.equal(found:rows()[1].func, "write")
    t.equal(found:rows()[1].comm, "bpflua")
    for _, row in ipairs(found:rows()) do
        t.equal(row.pid, PID)
        assert(row.values[3] ~= 4)
    end
    local signed = traced({ 'p:c:write(int fd, const char *text, size_t size) (size == 8) "%d:%s", fd, text' }, writes, "last one")
    t.equal(#signed:rows(), 1)
    t.equal(signed:rows()[1].message, ("%d:last one"):format(NULL))
end)

t.test("texts are compared by their beginning", function()
    local found = traced({ 'c:write (STRCMP("thr", arg2)) "%s", arg2', 'c:write (arg3 == 8) "last"' }, writes, "last")
    t.equal(found:row({ message = "three\n" }).values[1], "three\n")
    t.equal(#found:rows(), 2)
end)

t.test("results of functions, with time and CPU", function()
    local found = traced({ "-t", "-C", 'r:c:write (retval > 4) "%ld", retval' }, writes, '"8"')
    t.equal(found:row({ message = "6" }).values[1], 6)
    assert(found:rows()[1].elapsed > 0 and found:rows()[1].cpu >= 0)
    local failed = traced({ 'r:c:setpgid "%d", retval' }, function() ffi.C.setpgid(-5, -5) end, "%-1")
    t.equal(failed:rows()[1].message, "-1")
end)

t.test("fields of a tracepoint", function()
    local found = traced({ 't:syscalls:sys_enter_write (args->count == 6) "%d %s %lld", args->fd, args->buf, args->count' }, writes, "three")
    t.equal(found:rows()[1].message, ("%d three\n 6"):format(NULL))
    t.equal(found:rows()[1].func, "sys_enter_write")
end)

t.test("a system call's function, and what is behind a pointer of the kernel", function()
    local function kernel(...)
        local arguments = { ... }
        local ok, found = pcall(traced, arguments, function()
            ffi.C.getpgid(PID)
            writes()
        end, "message")
        if not ok and t.lacks(found) then
            return t.skip(arguments[1], tostring(found):match("error: ([^\n]*)"))
        end
        assert(ok, found)
        return found
    end
    local call = kernel('__x64_sys_getpgid "%d %d %d", arg1, $tgid, $task->tgid')
    if call then
        t.equal(call:rows()[1].message, ("%d %d %d"):format(PID, PID, PID))
    end
    local file = kernel('vfs_write(struct file *file, const char *buf, size_t count) (count == 8) "%s %d", file->f_path.dentry->d_name.name, count')
    if file then
        t.equal(file:rows()[1].message, "null 8")
    end
end)

t.test("stacks, so many lines, sums of equal lines", function()
    local running = tool.start("trace", { "-p", PID, "-U", "-M", 2, 'c:write "%d", arg3' })
    writes()
    local outcome = running:finish(false)
    t.equal(outcome.status, 0)
    assert(outcome.out:find("write +4\n    "), outcome.out)
    assert(not outcome.out:find("write +8\n"), outcome.out)
    local sums = tool.run("trace", { "--json", "-A", "-p", PID, 'c:write (arg3 > 3 && arg3 < 9) "%d", arg1' }, function()
        writes()
        writes()
    end)
    t.equal(sums:row({ message = tostring(NULL) }).count, 6)
end)

t.test("stacks of processes that are gone, by files that are named", function()
    local libc = BPF.find_library("c")
    local found = tool.run("trace", { "--json", "-U", "-s", libc, 'c:setpgid "%d", arg1' }, function(running)
        t.equal(tool.sh("python3 -c 'import os; os.setpgid(0, 0); print(1)'"), "1\n")
        running:sees("python3")
    end)
    local row = found:row({ comm = "python3" })
    t.equal(row.stack[1], "setpgid+0x0")
end)

t.test("names behind addresses of the kernel and of the process", function()
    local address = tonumber(ffi.cast("uintptr_t", ffi.cast("void *", ffi.C.setpgid)))
    local found = traced({ 'c:write (arg3 == 8) "%U %K", arg2, arg2' }, function()
        ffi.C.write(NULL, ffi.cast("const void *", address), 8)
    end, "setpgid")
    t.equal(found:rows()[1].message:match("%S+"), "setpgid+0x0")
    local timers = tool.run("trace", { "--json", "-M", 1, 't:timer:hrtimer_start "%K", args->function' }, function()
        tool.sh("sleep 0.1")
    end)
    if BPF.ksymname("hrtimer_start_range_ns") == 0 then
        return t.skip("%K", "the kernel hides its addresses")
    end
    assert(timers:rows()[1].message:find("^[%a_][%w_.]*%+0x0$"), timers.out)
end)

t.test("one control group", function()
    local cgroups = require("help.cgroups")
    local folder = cgroups.make("bpflua_trace")
    local found = tool.run("trace", { "--json", "-S", "-c", folder, 'c:setpgid "%d", arg1' }, function(running)
        ffi.C.setpgid(-3, -3)
        cgroups.within(folder, function() ffi.C.setpgid(-4, -4) end)
        running:sees("%-4")
    end)
    cgroups.remove(folder)
    t.equal(#found:rows(), 1)
    t.equal(found:rows()[1].message, "-4")
end)

t.test("what is wrong is told in the user's words", function()
    local function refused(probe)
        local outcome = tool.start("trace", { probe }):finish(false)
        assert(outcome.status ~= 0)
        return outcome.err
    end
    t.contains(refused('c:write "%d", arg9'), "cannot use `c:write \"%d\", arg9`: use of undeclared identifier 'arg9'")
    t.contains(refused('c:write "%d %d", arg1'), "the format takes 2 values, and there are 1")
    t.contains(refused('c:write (arg1 == 1 "%d", arg1'), "a parenthesis of the filter is not closed")
    t.contains(refused('c:write "%q", arg1'), "the format has no directive `%q`")
    t.contains(refused('c:write "%d", retval'), "`retval` is for the return of a function: r:LIBRARY:FUNCTION")
    t.contains(refused('c:write "%d", $tgit'), "there is no `$tgit`")
end)
