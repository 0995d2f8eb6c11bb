-- SPDX-License-Identifier: Apache-2.0
-- Timers and descriptors that the event loop waits for.

local t = require("harness")
local ffi = require("ffi")

ffi.cdef("int pipe(int fds[2]); long write(int fd, const void *data, size_t size); long read(int fd, void *data, size_t size);")

t.test("after calls once, an interval again and again, until cancelled", function()
    local once, often = 0, 0
    BPF.after(0.01, function() once = once + 1 end)
    local timer = BPF.interval(0.01, function()
        often = often + 1
        if often == 3 then
            BPF.exit()
        end
    end)
    BPF.cancel(BPF.after(0.01, function() error("cancelled") end))
    t.equal(BPF.sleep(20), false)
    t.equal(often, 3)
    t.equal(once, 1)
    BPF.cancel(timer)
end)

t.test("what cannot be waited for", function()
    t.contains(t.fails(BPF.after, 0, print), "must be a number above 0")
    t.contains(t.fails(BPF.after, 1, 5), "`fn`")
    t.contains(t.fails(BPF.watch, "x", print), "`fd`")
    local file = assert(io.open("/proc/self/exe"))
    t.contains(t.fails(BPF.watch, 12345, print), "EBADF")
    file:close()
end)
