-- SPDX-License-Identifier: Apache-2.0
-- Maps of a real object in the kernel.

local t = require("harness")
local b = BPF({ object = "../fixtures/lua/events.o" })

local function count(iterator)
    local n = 0
    for _ in iterator do
        n = n + 1
    end
    return n
end

t.test("set, get, delete", function()
    t.equal(b.numbers[1], nil)
    b.numbers[1] = 10
    t.equal(b.numbers[1], 10ULL)
    t.equal(b.numbers:get(1), 10ULL)
    t.equal(b.numbers:set(1, 11, 1), false)
    t.equal(b.numbers:set(2, 11, 2), false)
    t.equal(b.numbers:set(1, 11, 2), true)
    t.equal(b.numbers[1], 11ULL)
    b.numbers[1] = nil
    t.equal(b.numbers[1], nil)
    t.equal(b.numbers:delete(1), false)
end)

t.test("a walk sees every element once, however many", function()
    for i = 1, 15000 do
        b.numbers[i] = i * 2
    end
    local seen, sum = {}, 0
    for key, value in b.numbers:items() do
        t.equal(seen[key], nil)
        t.equal(tonumber(value), key * 2)
        seen[key], sum = true, sum + key
    end
    t.equal(sum, 15000 * 15001 / 2)
    t.equal(#b.numbers, 15000)
    t.equal(count(b.numbers:keys()), 15000)
    t.equal(count(b.numbers:values()), 15000)
    local n = 0
    for _ in pairs(b.numbers) do
        n = n + 1
    end
    t.equal(n, 15000)
    t.equal(count(b.numbers:drain()), 15000)
    t.equal(#b.numbers, 0)
end)

t.test("deleting under a walk", function()
    for i = 1, 100 do
        b.numbers[i] = i
    end
    for key in b.numbers:keys() do
        b.numbers[key] = nil
    end
    t.equal(#b.numbers, 0)
end)

t.test("clear and zero", function()
    b.numbers[1], b.numbers[2] = 5, 6
    b.numbers:zero()
    t.equal(b.numbers[2], 0ULL)
    b.numbers:clear()
    t.equal(#b.numbers, 0)
    b.dist[3] = 4
    b.dist:clear()
    t.equal(b.dist[3], 0ULL)
    t.equal(#b.dist, 64)
end)

t.test("64-bit keys and values are exact", function()
    b.big[0xfffffffffffffffeULL] = 0x8000000000000001ULL
    t.equal(b.big[-2ULL], 0x8000000000000001ULL)
    t.equal(b.big[7], nil)
    b.signed_[-5] = -7
    t.equal(b.signed_[-5], -7LL)
    for key, value in b.signed_:items() do
        t.equal(key, -5)
        t.equal(value, -7LL)
    end
end)

t.test("struct keys and values", function()
    b.structs[{ pid = 1, id = 2ULL, name = "one" }] = { pid = 9, comm = "me", at = { x = 3, y = 4 }, parts = { 5, 6 } }
    local key = b.structs:Key({ pid = 1, id = 2, name = "one" })
    local value = b.structs[key]
    t.equal(value.pid, 9)
    t.equal(("%s"):format(value.comm), "me")
    t.equal(value.at.y, 4)
    t.equal(value.parts[1], 6ULL)
    for k, v in b.structs:items() do
        t.equal(k:tuple(), key:tuple())
        t.equal(k:tuple(), '{pid = 1, id = 2, name = "one"}')
        t.equal(v == value, true)
    end
end)

t.test("text as key", function()
    b.named.abc = nil
    b.named["a name"] = 5
    t.equal(b.named["a name"], 5)
    t.equal(b.named.other, nil)
    t.equal(b.named:get("clear"), nil)
    for key, value in b.named:items() do
        t.equal(key, "a name")
        t.equal(value, 5)
    end
end)

t.test("arrays", function()
    b.dist[-1] = 6
    t.equal(b.dist[63], 6ULL)
    b.dist[63] = nil
    t.equal(b.dist[63], 0ULL)
    t.contains(t.fails(function() return b.dist[64] end), "it has 64 elements, counted from 0")
end)

t.test("per-CPU values", function()
    b.percpu[1] = 5
    local value = b.percpu[1]
    t.equal(value:sum(), 5ULL * #value)
    t.equal(value:max(), 5ULL)
    t.equal(value:average(), 5)
    local small = { [0] = 1 }
    for cpu = 1, #value - 1 do
        small[cpu] = 3
    end
    b.percpu_small[2] = small
    t.equal(b.percpu_small[2][0], 1)
    t.equal(b.percpu_small[2]:max(), #value > 1 and 3 or 1)
    t.equal(b.percpu_small[1]:sum(), 0)
end)

t.test("what does not fit changes nothing", function()
    b.numbers[3] = 1
    local before = #b.numbers
    t.contains(t.fails(function() b.numbers[-1] = 3 end), "key of `numbers` does not take -1")
    t.contains(t.fails(function() b.numbers[3] = "x" end), "value of `numbers` does not take")
    t.contains(t.fails(function() b.numbers:set(nil, 1) end), "the key is nil")
    t.contains(t.fails(function() b.numbers:set(3, nil) end), "the value is nil")
    t.contains(t.fails(function() b.structs[{ pidd = 1 }] = {} end), "did you mean `pid`?")
    t.equal(#b.numbers, before)
    t.equal(b.numbers[3], 1ULL)
end)

t.test("a full map says so", function()
    local err = t.fails(function()
        for i = 1, 100 do
            b.percpu[i] = 1
        end
    end)
    t.contains(err, "cannot update map `percpu`: it is full (16 elements) (E2BIG)")
end)

t.test("unknown names", function()
    t.contains(t.fails(function() return b.nubers end), "did you mean `numbers`?")
    t.contains(t.fails(function() return b.attach_kprobes end), "did you mean `attach_kprobe`?")
    t.contains(t.fails(function() return b.numbers.itmes end), "did you mean `items`?")
    t.contains(t.fails(function() b.x = 1 end), "cannot set `x` of a BPF object")
    t.contains(t.fails(function() return b:get_table("nubers") end), "the C text has no map `nubers`")
    t.contains(t.fails(function() b:attach_kprobe({ evnt = "x", fn_name = "f" }) end), "unknown option `evnt` of `attach_kprobe`")
    t.contains(t.fails(function() b:load_func("on_entr") end), "similar: on_enter")
    t.contains(t.fails(function() b.events:items() end), "cannot walk map `events`")
    t.contains(t.fails(function() b.numbers:open_perf_buffer(print) end), "it is of type hash, not perf_event_array")
end)

t.test("the object after its end", function()
    local other = BPF:new({ object = "../fixtures/lua/events.o" })
    t.equal(#other:probes(), 1)
    t.equal(other:probes()[1].mechanism, "raw_tracepoint")
    local map = other.numbers
    other:cleanup()
    other:cleanup()
    t.contains(t.fails(function() return map[1] end), "its BPF object was closed")
    t.contains(t.fails(function() other:probes() end), "it was closed")
end)
