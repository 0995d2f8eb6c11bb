-- SPDX-License-Identifier: Apache-2.0
-- maps.lua ENTRIES ROUNDS: nanoseconds of processor time for an entry, of walks over hashes and of emptying one.
local entries, rounds = tonumber(arg[1]), tonumber(arg[2])
local b = BPF{ src_file = "../texts/maps.c", cflags = { "-DMOST=" .. math.max(16384, entries) } }
local keys, values = {}, {}
for i = 1, entries do
    keys[i], values[i] = i, i * 3
end
local wanted = entries * (entries + 1) / 2 * 3

local function fill(map)
    map:items_update_batch(keys, values)
end

local function timed(name, work)
    local start = os.clock()
    work()
    print(("%s %.3f"):format(name, (os.clock() - start) * 1e9 / entries))
end

local function walk()
    local sum, count = 0, 0
    for _, value in b.counts:items() do
        sum = sum + tonumber(value)
        count = count + 1
    end
    assert(sum == wanted and count == entries)
end

local function walk_per_cpu()
    local sum = 0
    for _, values in b.per_cpu:items() do
        sum = sum + tonumber(values:sum())
    end
    assert(sum >= wanted, sum)
end

if entries <= 16384 then
    for i = 1, entries do
        b.per_cpu[i] = i * 3
    end
end
print("ready")
for _ = 1, rounds do
    fill(b.counts)
    timed("items", walk)
    if entries <= 16384 then
        timed("percpu", walk_per_cpu)
    end
    timed("clear", function() b.counts:clear() end)
end
