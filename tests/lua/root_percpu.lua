-- SPDX-License-Identifier: Apache-2.0
-- Values that each CPU has for itself: numbers of 64 and 32 bits, structs, and one value made of all of them.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void); long syscall(long number, ...);")
local GETPGID, CALLS = 121, 20

-- `body` runs at each getpgid of this process.
local function on_getpgid(maps, body)
    return BPF({ text = ([[
%s
RAW_TRACEPOINT_PROBE(sys_enter)
{
    u32 key = 0;

    if (bpf_get_current_pid_tgid() >> 32 != %d || ctx->args[1] != %d)
        return 0;
    %s
    return 0;
}
]]):format(maps, ffi.C.getpid(), GETPGID, body) })
end

local function call()
    for _ = 1, CALLS do
        ffi.C.syscall(GETPGID, 0)
    end
end

t.test("maps of values that nothing is said of", function()
    local b = BPF({ text = [[
BPF_PERCPU_ARRAY(plain);
BPF_PERCPU_ARRAY(typed, u64);
BPF_PERCPU_ARRAY(sized, u64, 1024);
]] })
    t.equal(#b.plain[0], #BPF.get_possible_cpus())
    t.equal(#b.sized, 1024)
    t.equal(#b.typed, #b.plain)
end)

-- Counts by CPU, of a type, against their sum, mean and greatest.
local function counts(maps, type)
    local b = on_getpgid(maps, ([[
    %s zero = 0, *count = calls.lookup_or_try_init(&key, &zero);
    if (count)
        *count += 1;]]):format(type))
    b.calls[0] = 0
    call()
    t.equal(#b.calls, 1)
    local by_cpu, sum, most = b.calls[0], 0, 0
    for cpu = 0, #by_cpu - 1 do
        sum, most = sum + tonumber(by_cpu[cpu]), math.max(most, tonumber(by_cpu[cpu]))
    end
    t.equal(sum, CALLS)
    t.equal(tonumber(b.calls:sum(0)), CALLS)
    t.equal(tonumber(b.calls:max(0)), most)
    t.equal(b.calls:average(0), CALLS / #by_cpu)
    b:cleanup()
end

t.test("64 bits", function() counts("BPF_PERCPU_HASH(calls, u32, u64, 1);", "u64") end)
t.test("32 bits", function() counts("BPF_PERCPU_ARRAY(calls, u32, 1);", "u32") end)

t.test("structs, and one made of all CPUs'", function()
    local b = on_getpgid("struct counter { u32 one, three; }; BPF_PERCPU_HASH(calls, u32, struct counter, 2);", [[
    struct counter zero = {}, *count = calls.lookup_or_try_init(&key, &zero);
    if (count) {
        count->one += 1;
        count->three += 3;
    }]])
    b.calls[0] = { one = 0, three = 0 }
    call()
    local whole = b:get_table("calls", nil, nil, function(made, value)
        return { one = made.one + value.one, three = made.three + value.three }
    end)
    t.equal(whole[0].one, CALLS)
    t.equal(whole[0].three, 3 * CALLS)
    t.equal(whole:get(0).one, CALLS)
    t.equal(whole[7], nil)
    local seen = 0
    for key, value in whole:items() do
        t.equal(key, 0)
        t.equal(value.three, 3 * CALLS)
        seen = seen + 1
    end
    t.equal(seen, 1)
    for value in whole:values() do
        t.equal(value.one, CALLS)
    end
    -- Nothing of the map itself is changed by it.
    t.equal(#whole, 1)
    t.equal(b.calls[0].cpus, #BPF.get_possible_cpus())
    t.equal(whole:getvalue(0).cpus, b.calls[0].cpus)
    t.contains(t.fails(whole.sum, whole, 0), "cannot call `sum`, `max` or `average`")
    t.equal(b.calls[0]:reduce(function(made, value) return made.one > value.one and made or value end).one > 0, true)
    whole[0] = { one = 5 }
    t.equal(b.calls[0][0].one, 5)
    whole[0] = nil
    t.equal(b.calls[0], nil)
    b:cleanup()
    t.contains(t.fails(function() return whole[0] end), "its BPF object was closed")
end)

t.test("reducers of numbers, and where there is nothing to reduce", function()
    local b = BPF({ text = "BPF_PERCPU_ARRAY(numbers, u64, 4); BPF_HASH(plain);" })
    local cpus = #BPF.get_possible_cpus()
    local by_cpu = {}
    for cpu = 0, cpus - 1 do
        by_cpu[cpu] = 10 + cpu
    end
    b.numbers[1] = by_cpu
    local least = b:get_table("numbers", nil, nil, function(made, value) return value < made and value or made end)
    t.equal(least[1], 10ULL)
    t.equal(least[0], 0ULL)
    t.equal(least:sum(1), b.numbers:sum(1))
    t.equal(b.numbers[1]:reduce(function(_, value) return value end), 9ULL + cpus)
    local err = t.fails(b.get_table, b, "plain", nil, nil, function() end)
    t.contains(err, "cannot reduce the values of map `plain`: it is of type hash, which has one value for all CPUs")
    t.contains(t.fails(b.get_table, b, "numbers", nil, nil, 5), "argument `reducer` of `get_table` is a number")
end)

t.test("values of any size, also such as bcc's Python refuses", function()
    local b = BPF({ text = [[
struct twelve { u32 a, b, c; };
struct five { char text[5]; };
BPF_PERCPU_ARRAY(twelves, struct twelve, 2);
BPF_PERCPU_HASH(fives, u32, struct five);
BPF_PERCPU_HASH(shorts, u32, u16);
BPF_PERCPU_ARRAY(signs, s16, 1);
]] })
    local last = #BPF.get_possible_cpus() - 1
    b.twelves[1] = { [0] = { a = 1, b = 2, c = 3 }, [last] = { a = 4, b = 5, c = 6 } }
    t.equal(b.twelves[1][last].b, 5)
    t.equal(b.twelves[0][last].b, 0)
    b.fives[7] = { text = "four" }
    t.equal(ffi.string(b.fives[7][last].text), "four")
    b.shorts[7] = { [0] = 65535 }
    t.equal(b.shorts:max(7), 65535)
    b.signs[0] = { [0] = -32768 }
    t.equal(b.signs[0][0], -32768)
    t.equal(b.signs:sum(0) == -32768 + (last > 0 and tonumber(b.signs[0][last]) or 0), true)
    b:cleanup()
end)
