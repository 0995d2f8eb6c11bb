-- SPDX-License-Identifier: Apache-2.0
-- Events of a real program, through the loop.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpid(void); int getppid(void); int kill(int, int);")

local b = BPF({ object = "../fixtures/lua/events.o" })
b.config[0] = ffi.C.getpid()

local function submit(count)
    for _ = 1, count do
        ffi.C.getppid()
    end
end

local handler
b.events:open_perf_buffer(function(...)
    handler(...)
end, { page_cnt = 64 })

t.test("an event has the members of the C text", function()
    local kept
    handler = function(cpu, event, size)
        t.equal(type(cpu), "number")
        t.equal(event.pid, ffi.C.getpid())
        t.equal(event.low, 5)
        t.equal(event.high, 0x54321)
        t.equal(("%s"):format(event.comm), "bpflua")
        t.equal(event.color, 5)
        t.equal(event.at.x, 1)
        t.equal(event.parts[1], 8ULL)
        t.equal(size >= ffi.sizeof(event), true)
        t.contains(event, "color = GREEN")
        t.contains(t.fails(function() return event.pidd end), "did you mean `pid`?")
        kept = event:copy()
    end
    submit(1)
    t.equal((b:perf_buffer_poll(1000)), 1)
    t.equal(kept.pid, ffi.C.getpid())
end)

t.test("every event comes once, in order", function()
    local n, last = 0, 0
    handler = function(_, event)
        n = n + 1
        local ts = tonumber(event.ts)
        assert(ts >= last)
        last = ts
    end
    submit(2000)
    while n < 2000 do
        b:perf_buffer_poll(1000)
    end
    t.equal(b:perf_buffer_consume(), 0)
    t.equal(n, 2000)
end)

t.test("an error in a handler loses no event and repeats none", function()
    local n = 0
    handler = function()
        n = n + 1
        if n == 3 then
            error("third")
        end
    end
    submit(5)
    t.contains(t.fails(function()
        while true do
            b:perf_buffer_poll(100)
        end
    end), "third")
    b:perf_buffer_poll(100)
    t.equal(n, 5)
end)

t.test("timers and durations", function()
    local ticks = 0
    local timer = BPF.interval(0.01, function() ticks = ticks + 1 end)
    t.equal(BPF.run({ duration = 0.1 }), "timeout")
    t.equal(ticks >= 3, true)
    BPF.cancel(timer)
    ticks = 0
    t.equal(BPF.sleep(0.03), true)
    t.equal(ticks, 0)
end)

t.test("`event` reads an event out of bytes", function()
    local bytes = ffi.new("uint8_t[128]")
    ffi.cast("uint32_t *", bytes)[0] = 77
    t.equal(b.events:event(bytes).pid, 77)
end)

t.test("Ctrl-C: the poll returns, what is left was delivered, the code after it runs", function()
    local n = 0
    handler = function() n = n + 1 end
    submit(10)
    ffi.C.kill(ffi.C.getpid(), 2)
    local told = false
    for _ = 1, 100 do
        local _, stop = b:perf_buffer_poll(1000)
        if stop then
            told = true
            break
        end
    end
    t.equal(told, true)
    t.equal(n, 10)
    t.equal(BPF.stopped(), true)
    t.equal(t.fails(function() b:perf_buffer_poll() end), "interrupted!")
end)
