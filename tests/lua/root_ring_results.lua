-- SPDX-License-Identifier: Apache-2.0
-- What a ring buffer's handler returns: a negative number ends the poll, and nothing is lost by it.

local t = require("harness")
local getpgid = require("help.getpgid")

local TEXT = getpgid.on([[
BPF_RINGBUF_OUTPUT(first, 8);
BPF_RINGBUF_OUTPUT(second, 8);
BPF_ARRAY(calls, u32, 1);
ON_GETPGID
    int zero = 0;
    u32 *call = calls.lookup(&zero);
    if (!call) return 0;
    u32 number = ++*call;
    first.ringbuf_output(&number, sizeof(number), 0);
    if (number % 10 == 0) second.ringbuf_output(&number, sizeof(number), 0);
    return 0;
}
]])

-- An object with its two buffers open, and the numbers that each has handed out so far.
local function open(result)
    local b = BPF({ text = TEXT })
    local seen = { first = {}, second = {} }
    for name, list in pairs(seen) do
        b[name]:open_ring_buffer(function(_, number)
            list[#list + 1] = tonumber(number)
            return name == "first" and result(tonumber(number)) or nil
        end)
    end
    return b, seen
end

local function call(times)
    for _ = 1, times do
        getpgid.call()
    end
end

local function numbers(list)
    return table.concat(list, " ")
end

t.test("a negative number ends a poll; the next one goes on behind that record", function()
    local b, seen = open(function(number) return number % 5 == 0 and -number or 7 end)
    call(12)
    local delivered, stop = b:ring_buffer_poll(1000)
    while #seen.first == 0 do
        delivered, stop = b:ring_buffer_poll(1000)
    end
    t.equal(stop, -5)
    t.equal(numbers(seen.first), "1 2 3 4 5")
    t.equal(tonumber(delivered), 5 + #seen.second)
    t.equal(select(2, b:ring_buffer_poll(1000)), -10)
    t.equal(numbers(seen.first), "1 2 3 4 5 6 7 8 9 10")
    t.equal(select(2, b:ring_buffer_poll(100)), nil)
    t.equal(numbers(seen.first), "1 2 3 4 5 6 7 8 9 10 11 12")
    t.equal(numbers(seen.second), "10")
    t.equal(b.first:lost(), 0)
    b:cleanup()
end)

t.test("so it does without waiting", function()
    local b, seen = open(function(number) return number == 3 and -1 or nil end)
    call(4)
    t.equal(select(2, b:ring_buffer_consume()), -1)
    t.equal(numbers(seen.first), "1 2 3")
    t.equal(select(2, b:ring_buffer_consume()), nil)
    t.equal(numbers(seen.first), "1 2 3 4")
    b:cleanup()
end)

t.test("what is no number, or not below 0, ends nothing", function()
    for _, result in ipairs({ false, 0, 3, "-1", {} }) do
        local b, seen = open(function() return result end)
        call(9)
        local delivered, stop = b:ring_buffer_consume()
        t.equal(stop, nil)
        t.equal(delivered, 9)
        t.equal(numbers(seen.first), "1 2 3 4 5 6 7 8 9")
        b:cleanup()
    end
end)

t.test("a loop goes on, whatever handlers return", function()
    local b, seen = open(function(number) return -number end)
    call(2000)
    t.equal(b:run({ duration = 0.05 }), "timeout")
    t.equal(#seen.first, 2000)
    for i, number in ipairs(seen.first) do
        t.equal(number, i)
    end
    t.equal(#seen.second, 200)
    b:cleanup()
end)
