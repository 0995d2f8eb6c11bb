-- SPDX-License-Identifier: Apache-2.0
-- Many elements at once, as bcc's batch methods have it, and the methods of per-CPU maps.

local ffi = require("ffi")
local t = require("harness")

local b = BPF({ text = [[
struct key { u32 pid; char name[4]; };
BPF_HASH(counts, u32, u64, 1024);
BPF_HASH(structs, struct key, u32, 64);
BPF_ARRAY(slots, u64, 8);
BPF_PERCPU_HASH(percpu, u32, u64, 64);
BPF_PERCPU_ARRAY(percpu_slots, u32, 4);
BPF_TABLE("lru_hash", u32, u64, lru, 64);
]] })

local function sorted(iterator)
    local lines = {}
    for key, value in iterator do
        lines[#lines + 1] = ("%s=%s"):format(tostring(key), tostring(value))
    end
    table.sort(lines)
    return table.concat(lines, " ")
end

t.test("update, look up, take and delete many", function()
    b.counts:items_update_batch({ 1, 2, 3 }, { 10, 20, 30 })
    t.equal(sorted(b.counts:items_lookup_batch()), "1=10ULL 2=20ULL 3=30ULL")
    b.counts:items_delete_batch({ 1, 3, 99 })
    t.equal(sorted(b.counts:items()), "2=20ULL")
    b.counts:items_update_batch({ 4 }, { 40 })
    t.equal(sorted(b.counts:items_lookup_and_delete_batch()), "2=20ULL 4=40ULL")
    t.equal(#b.counts, 0)
    b.counts:items_update_batch({ 1, 2 }, { 1, 2 })
    b.counts:items_delete_batch()
    t.equal(#b.counts, 0)
    b.counts:items_update_batch({}, {})
    b.counts:items_delete_batch({})
end)

t.test("C arrays", function()
    local keys, values = ffi.new("uint32_t[3]", 7, 8, 9), ffi.new("uint64_t[3]", 70, 80, 90)
    b.counts:items_update_batch(keys, values)
    t.equal(sorted(b.counts:items()), "7=70ULL 8=80ULL 9=90ULL")
    b.counts:items_delete_batch(keys)
    t.equal(#b.counts, 0)
end)

t.test("structs and LRU maps", function()
    b.structs:items_update_batch({ { pid = 1, name = "a" }, { pid = 2, name = "b" } }, { 5, 6 })
    t.equal(b.structs[{ pid = 2, name = "b" }], 6)
    b.structs:items_delete_batch({ { pid = 2, name = "b" } })
    t.equal(#b.structs, 1)
    b.lru:items_update_batch({ 1, 2 }, { 1, 2 })
    t.equal(sorted(b.lru:items_lookup_batch()), "1=1ULL 2=2ULL")
    b.slots:items_update_batch({ 0, 7 }, { 5, 6 })
    t.equal(b.slots[7], 6ULL)
end)

t.test("what does not fit is said before anything is set", function()
    t.contains(t.fails(function() b.counts:items_update_batch({ 1, 2 }, { 1 }) end), "cannot call `items_update_batch` on map `counts`: there are 2 keys and 1 values")
    t.contains(t.fails(function() b.counts:items_update_batch({ 1, "x" }, { 1, 2 }) end), "key of `counts`[2] does not take")
    t.contains(t.fails(function() b.counts:items_update_batch(1, {}) end), "`keys` must be a list or a C array, not a number")
    local many = {}
    for i = 1, 1025 do
        many[i] = i
    end
    t.contains(t.fails(function() b.counts:items_update_batch(many, many) end), "1025 elements are given, and it takes 1024")
    t.equal(#b.counts, 0)
    many[1025] = nil
    b.counts[5000] = 1
    local err = t.fails(function() b.counts:items_update_batch(many, many) end)
    t.contains(err, "cannot update map `counts`: it is full (1024 elements) (E2BIG)")
    t.contains(err, "1023 of 1024 elements were set")
    b.counts:clear()
end)

t.test("per-CPU values by key", function()
    b.percpu[3] = 5
    local cpus = #b.percpu[3]
    t.equal(b.percpu:sum(3), 5ULL * cpus)
    t.equal(b.percpu:max(3), 5ULL)
    t.equal(b.percpu:average(3), 5)
    t.equal(#b.percpu:getvalue(3), cpus)
    t.equal(b.percpu:sum(4), nil)
    b.percpu:items_update_batch({ 1, 2 }, { 7, { [0] = 9 } })
    t.equal(b.percpu:sum(1), 7ULL * cpus)
    t.equal(b.percpu:sum(2), 9ULL)
    b.percpu_slots[1] = 2
    t.equal(b.percpu_slots:sum(1), 2 * cpus)
    t.contains(t.fails(function() b.counts:sum(1) end), "it is of type hash, which has one value for all CPUs")
    for key, value in b.percpu:items_lookup_and_delete_batch() do
        t.equal(#value, cpus)
    end
    t.equal(#b.percpu, 0)
end)

-- A full map of a thousand elements, each with its key for a value.
local SIZE, SUBSET = 1024, 32

local function filled()
    b.counts:clear()
    local keys = {}
    for key = 0, SIZE - 1 do
        keys[key + 1] = key
    end
    b.counts:items_update_batch(keys, keys)
    return b.counts, keys
end

-- Each key of a walk once, and its value by a rule; how many there are.
local function check(iterator, value_of)
    local seen, count = {}, 0
    for key, value in iterator do
        t.equal(seen[key], nil)
        t.equal(tonumber(value), value_of(key))
        seen[key], count = true, count + 1
    end
    return count
end

local function same(key)
    return key
end

t.test("all of a full map are looked up", function() t.equal(check(filled():items_lookup_batch(), same), SIZE) end)

t.test("all of a full map are taken", function()
    local map = filled()
    t.equal(check(map:items_lookup_and_delete_batch(), same), SIZE)
    t.equal(#map, 0)
end)

t.test("all of a full map are deleted", function()
    local map = filled()
    map:items_delete_batch()
    t.equal(check(map:items(), same), 0)
end)

t.test("some of a full map are deleted", function()
    local map, keys = filled()
    map:items_delete_batch({ unpack(keys, 1, SUBSET) })
    t.equal(check(map:items(), same), SIZE - SUBSET)
    t.equal(map[SUBSET - 1], nil)
    t.equal(map[SUBSET], 0ULL + SUBSET)
end)

t.test("all of a full map are updated", function()
    local map, keys = filled()
    local values = {}
    for i = 1, SIZE do
        values[i] = 7
    end
    map:items_update_batch(keys, values)
    t.equal(check(map:items(), function() return 7 end), SIZE)
end)

t.test("some of a full map are updated", function()
    local map, keys = filled()
    local some, squares = { unpack(keys, 1, SUBSET) }, {}
    for i, key in ipairs(some) do
        squares[i] = key * key
    end
    map:items_update_batch(some, squares)
    t.equal(check(map:items_lookup_batch(), function(key) return key < SUBSET and key * key or key end), SIZE)
end)
