-- SPDX-License-Identifier: Apache-2.0
-- One-liners over tracepoints, raw tracepoints, user functions and clocks, which every machine has.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpid(void); int getpgid(int pid); int open(const char *path, int flags); int close(int fd); int usleep(unsigned int us);")

local me = ffi.C.getpid()
local ENTER = "tracepoint:syscalls:sys_enter_getpgid"

local function call(times)
    for _ = 1, times do
        ffi.C.getpgid(0)
    end
end

t.test("a count is exact", function()
    local count = BPF.count(ENTER, "pid", "comm", { pid = me })
    call(137)
    count:stop()
    call(5)
    local rows = count:rows()
    t.equal(#rows, 1)
    t.equal(rows[1].count, 137)
    t.equal(rows[1].pid, me)
    t.equal(rows[1].comm, "bpflua")
    t.contains(count:text(), "COUNT")
    t.contains(tostring(count), "count of " .. ENTER)
    t.contains(tostring(count), "stopped")
end)

t.test("a count without keys, and one of nothing", function()
    local count = BPF.count(ENTER, { pid = me })
    call(3)
    t.equal(count:stop():rows()[1].count, 3)
    local nothing = BPF.count(ENTER, { pid = me, comm = "no such name" })
    call(3)
    t.contains(nothing:stop():text(), "nothing was counted")
end)

t.test("probes of a pattern are told apart", function()
    local count = BPF.count("tracepoint:syscalls:sys_e*_getpgid", "func", "probe", { pid = me })
    call(11)
    local rows = count:stop():rows()
    t.equal(#rows, 2)
    local by_func = {}
    for _, row in ipairs(rows) do
        by_func[row.func] = row
    end
    t.equal(by_func.sys_enter_getpgid.count, 11)
    t.equal(by_func.sys_exit_getpgid.count, 11)
    t.equal(by_func.sys_exit_getpgid.probe, "tracepoint:syscalls:sys_exit_getpgid")
end)

t.test("many system calls are counted by one tracepoint, each by its name", function()
    local count = BPF.count("tracepoint:syscalls:sys_enter_*", "func", "probe", { pid = me })
    t.equal(#count.bpf:probes(), 1)
    t.equal(count.bpf:probes()[1].target, "raw_syscalls:sys_enter")
    call(17)
    local found
    for _, row in ipairs(count:stop():rows()) do
        found = row.func == "sys_enter_getpgid" and row or found
    end
    t.equal(found.count, 17)
    t.equal(found.probe, "tracepoint:syscalls:sys_enter_getpgid")
    local latency = BPF.latency("tracepoint:syscalls:sys_enter_get*", "func", { pid = me, units = "ns" })
    call(8)
    for _, row in ipairs(latency:stop():rows()) do
        found = row.func == "sys_enter_getpgid" and row or found
    end
    t.equal(found.count, 8)
end)

t.test("several probes by name", function()
    local list = BPF.count({ ENTER, "tracepoint:syscalls:sys_exit_getpgid" }, "func", { pid = me })
    local text = BPF.count(ENTER .. ", tracepoint:syscalls:sys_exit_getpgid", "func", { pid = me })
    call(4)
    t.equal(#list:stop():rows(), 2)
    t.equal(#text:stop():rows(), 2)
end)

t.test("a filter is a C expression over the fields, text included", function()
    local some = BPF.count(ENTER, { filter = ('args.pid == 1 && comm == "bpflua" && pid == %d'):format(me) })
    local none = BPF.count(ENTER, { filter = 'comm != "bpflua"', pid = me })
    ffi.C.getpgid(1)
    ffi.C.getpgid(1)
    call(7)
    t.equal(some:stop():rows()[1].count, 2)
    t.equal(#none:stop():rows(), 0)
end)

t.test("the largest, and a word about the others", function()
    local count = BPF.count(ENTER, "args.pid", { pid = me, top = 1 })
    ffi.C.getpgid(1)
    ffi.C.getpgid(me)
    ffi.C.getpgid(me)
    local text = count:stop():text()
    t.contains(text, "1 more, counted 1 times")
    t.contains(text, tostring(me))
end)

t.test("a full map is counted, and the count kept", function()
    local count = BPF.count(ENTER, "args.pid", { pid = me, max_keys = 2 })
    for pid = 100001, 100050 do
        ffi.C.getpgid(pid)
    end
    count:stop()
    local total = 0
    for _, row in ipairs(count:rows()) do
        total = total + row.count
    end
    t.equal(total + count.bpf.counts:lost(), 50)
end)

t.test("a histogram of results, those below zero too", function()
    local hist = BPF.hist("tracepoint:syscalls:sys_exit_getpgid", "ret", { pid = me })
    call(6)
    ffi.C.getpgid(2 ^ 30)
    local row = hist:stop():rows()[1]
    t.equal(row.count, 7)
    t.equal(row.slots[0], 1)
    t.contains(hist:text(), "below 0")
    local expression = BPF.hist(ENTER, "args.pid * 2 + 1", { pid = me })
    ffi.C.getpgid(4)
    t.equal(expression:stop():rows()[1].slots[4], 1)
end)

t.test("stacks of the kernel", function()
    local stacks = BPF.stacks("tracepoint:raw_syscalls:sys_enter", { pid = me, filter = "id == 121", folded = true })
    call(9)
    stacks:stop()
    local row = stacks:rows()[1]
    if #row.kstack > 0 and not row.kstack[1]:find("^%[") then
        t.equal(row.count, 9)
        t.contains(stacks:text(), "do_syscall_64")
    else
        t.skip("stacks of the kernel", "this kernel has no stack at a system call's tracepoint")
    end
end)

t.test("events with text from user memory", function()
    local seen = {}
    local trace = BPF.trace("tracepoint:syscalls:sys_enter_openat", "filename", "flags", { pid = me, handler = function(event)
        seen[#seen + 1] = event
    end })
    ffi.C.open("/no/such/file", 1)
    for _ = 1, 50 do
        BPF.sleep(0.02)
        if #seen > 0 then
            break
        end
    end
    trace:stop()
    t.equal(seen[1].filename, "/no/such/file")
    t.equal(seen[1].flags % 4, 1)
    t.equal(seen[1].pid, me)
    t.equal(seen[1].time >= 0, true)
end)

t.test("a text that is cut says so", function()
    local count = BPF.count("tracepoint:syscalls:sys_enter_openat", "filename", { pid = me, strings = 8 })
    ffi.C.open("/no/such/file", 0)
    t.equal(count:stop():rows()[1].filename, "/no/suc…")
end)

t.test("members of the kernel's structures, by raw tracepoint", function()
    local count = BPF.count("rawtracepoint:sched_process_exec", "bprm.filename", "p.comm", "p.real_parent.pid")
    os.execute("/bin/true")
    local found
    for _, row in ipairs(count:stop():rows()) do
        found = found or row["bprm.filename"]:find("/true$") and row
    end
    t.equal(found["p.comm"], "true")
end)

t.test("how long a system call takes", function()
    local latency = BPF.latency("tracepoint:syscalls:sys_enter_clock_nanosleep", "comm", { pid = me, units = "ms" })
    for _ = 1, 5 do
        ffi.C.usleep(20000)
    end
    local row = latency:stop():rows()[1]
    t.equal(row.count, 5)
    t.equal(row.comm, "bpflua")
    local fast = 0
    for slot, count in pairs(row.slots) do
        fast = fast + (slot < 5 and count or 0)
    end
    t.equal(fast, 0)
    t.contains(latency:text(), "msecs")
end)

t.test("functions of a library", function()
    local count = BPF.count("uprobe:c:getpgi*", "func", { pid = me })
    local traced = BPF.count("uretprobe:c:getpgid", "retval", { pid = me })
    local latency = BPF.latency("uprobe:c:getpgid", { pid = me, units = "ns" })
    call(21)
    t.contains(count:stop():rows()[1].func, "getpgid")
    t.equal(count:rows()[1].count, 21)
    t.equal(traced:stop():rows()[1].count, 21)
    t.equal(latency:stop():rows()[1].count, 21)
    local text = BPF.count("uprobe:c:open", "str(arg0)", { pid = me })
    ffi.C.open("/no/such/file", 0)
    t.equal(text:stop():rows()[1]["str(arg0)"], "/no/such/file")
end)

t.test("samples of clocks and of the kernel's events", function()
    local ticks = BPF.count("interval:ms:50", { seconds = 0.6 }):run()
    t.equal(ticks.is_running, false)
    t.equal(ticks:rows()[1].count >= 3, true)
    local faults = BPF.count("software:page-faults", "pid", { pid = me })
    for i = 1, 100 do
        ffi.fill(ffi.new("uint8_t[?]", 65536 * 4), 65536 * 4, i)
    end
    t.equal(faults:stop():rows()[1].pid, me)
end)

t.test("what is wrong is said with the names there are", function()
    t.contains(t.fails(BPF.count, ENTER, "args.pidd"), "did you mean `pid`")
    t.contains(t.fails(BPF.count, "tracepoint:syscalls:sys_enter_openat", "filenam"), "did you mean `filename`?")
    t.contains(t.fails(BPF.count, "tracepoint:syscalls:sys_enter_getpgit"), "sys_enter_getpgid")
    t.contains(t.fails(BPF.count, "kprob:vfs_read"), "did you mean `kprobe`?")
    t.contains(t.fails(BPF.count, ENTER, { fliter = "x" }), "did you mean `filter`?")
    t.contains(t.fails(BPF.count, ENTER, { filter = "pid >" }), "cannot use the filter `pid >`: expected expression")
    t.contains(t.fails(BPF.count, ENTER, { filter = "comm > 1" }), "text is only compared")
    t.contains(t.fails(BPF.hist, ENTER, "comm"), "is no number that can be measured")
    t.contains(t.fails(BPF.latency, "tracepoint:sched:sched_switch"), "has no other end")
    t.contains(t.fails(BPF.latency, ENTER, { units = "min" }), "`latency` has no units `min`")
    t.contains(t.fails(BPF.trace, "rawtracepoint:sched_process_exec", "bprm.filenam"), "did you mean `filename`")
    t.contains(t.fails(BPF.trace, "rawtracepoint:sched_process_exec", "bprm.cred.uid"), "has no value of its own")
    t.contains(t.fails(BPF.count, 7), "argument `probe` of `count` is a number")
end)
