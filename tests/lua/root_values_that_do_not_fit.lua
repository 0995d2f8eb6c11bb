-- SPDX-License-Identifier: Apache-2.0
-- Keys and values that do not fit their types: an error that says why, at the script's line, and the map as it was.

local ffi = require("ffi")
local t = require("harness")
local calls = require("shared.bad_calls")
local errors = require("bpflua.errors")

local b = BPF({
    text = [[
enum colour { RED, GREEN = 5 };
struct key { char comm[16]; u32 pid; };
struct value {
    s16 low; u8 bytes[3]; bool on; enum colour colour; s64 wide; void *place;
    u32 three:3; s32 five:5; u64 forty:40;
    struct { u16 x; } inner; union { u32 as_int; u8 as_byte; } either;
    unsigned __int128 huge;
};
struct other { u32 a; };
BPF_HASH(u8s, u8, u8, 4);
BPF_HASH(u32s, u32, u32, 4);
BPF_HASH(s32s, s32, s32, 4);
BPF_HASH(u64s, u64, u64, 4);
BPF_HASH(s64s, s64, s64, 4);
BPF_HASH(texts, struct key, struct value, 4);
BPF_HASH(others, struct other, struct other, 4);
BPF_TABLE("hash", char[16], char[8], names, 4);
BPF_ARRAY(slots, u64, 4);
BPF_PERCPU_ARRAY(by_cpu, u64, 2);
BPF_QUEUE(queue, u32, 4);
BPF_STACK(stack, struct other, 4);
BPF_LPM_TRIE(trie, u64, u32, 4);
BPF_PROG_ARRAY(programs, 4);
int number = 7;
u8 list[3] = {1, 2, 3};
char name[8] = "abc";
volatile const u32 limit = 1;
]],
})

-- The methods of maps that take keys and values of any type, and those of them that are called here as they must not be.
local takers, refusing, recording = calls.with_any_value("bpflua.Map"), {}, false
takers[#takers + 1] = "items_update_batch"
takers[#takers + 1] = "items_delete_batch"
local methods = require("bpflua.map").Map
for _, name in ipairs(takers) do
    local method = methods[name]
    methods[name] = function(...)
        refusing[name] = refusing[name] or recording
        return method(...)
    end
end

-- What is in a map, as text.
local function dump(map)
    local lines = {}
    for key, value in map:items() do
        lines[#lines + 1] = map:key_sprintf(key) .. " = " .. (map.per_cpu and tostring(value) or map:leaf_sprintf(value))
    end
    table.sort(lines)
    return table.concat(lines, "\n")
end

-- A call that must fail, saying so, and leave the map as it was.
local function refused(map, wanted, fn, ...)
    local before = map and dump(map)
    local line = debug.getinfo(2, "l").currentline
    recording = true
    local ok, err = pcall(fn, ...)
    recording = false
    if ok then
        error(("line %d: nothing is raised"):format(line), 0)
    end
    local text = tostring(err)
    t.equal(errors.is_error(err), true)
    t.equal(err.kind, "script")
    t.contains(text, wanted)
    t.contains(text, "root_values_that_do_not_fit.lua:")
    for _, foreign in ipairs({ "cannot convert", "attempt to", "bad argument", "ctype<", "table: 0x", "scripts/lib" }) do
        t.equal(text:find(foreign, 1, true), nil)
    end
    if map then
        t.equal(dump(map), before)
    end
end

-- The ways that a value takes into a map.
local function never_set(map, key, value, wanted)
    refused(map, wanted, function() map:set(key, value) end)
    refused(map, wanted, function() map[key] = value end)
    refused(map, wanted, function() map:items_update_batch({ key }, { value }) end)
    if not map.per_cpu then
        refused(map, wanted, function() map:leaf_sprintf(value) end)
        refused(map, wanted, function() map:Leaf(value) end)
    end
end

-- The ways that a key takes.
local function never_found(map, key, value, wanted)
    refused(map, wanted, function() map:get(key) end)
    refused(map, wanted, function() map:set(key, value) end)
    refused(map, wanted, function() map:delete(key) end)
    refused(map, wanted, function() map:items_update_batch({ key }, { value }) end)
    refused(map, wanted, function() map:items_delete_batch({ key }) end)
    refused(map, wanted, function() map:key_sprintf(key) end)
    refused(map, wanted, function() map:Key(key) end)
end

local stranger = ffi.new("struct { int a; }")
local a_function = print

t.test("whole numbers", function()
    local nan, infinite = 0 / 0, math.huge
    local cases = {
        { "u8s", 0, 255, { -1, 256, 1.5, nan, infinite, -infinite, 300ULL, -1LL } },
        { "u32s", 0, 2 ^ 32 - 1, { -1, 2 ^ 32, 0.5, nan, infinite, 0x100000000ULL, -1LL } },
        { "s32s", -2 ^ 31, 2 ^ 31 - 1, { -2 ^ 31 - 1, 2 ^ 31, 1.25, nan, 0xffffffffULL, -0x80000001LL } },
        { "u64s", 0, 0xffffffffffffffffULL, { -1, 2 ^ 64, 0.5, nan, infinite, -1LL, -0x8000000000000000LL } },
        { "s64s", -0x8000000000000000LL, 0x7fffffffffffffffLL, { -2 ^ 64, 2 ^ 63, 2 ^ 64, 0.5, nan, 0x8000000000000000ULL, -1ULL } },
    }
    for _, case in ipairs(cases) do
        local map, least, most = b[case[1]], case[2], case[3]
        map:set(least, most)
        map:set(most, least)
        t.equal(map[least] == most and map[most] == least, true)
        for _, wrong in ipairs(case[4]) do
            never_set(map, 1, wrong, ("value of `%s`"):format(map.name))
            never_found(map, wrong, 1, ("key of `%s`"):format(map.name))
        end
        for _, wrong in ipairs({ "x", "", { x = 5 }, {}, a_function, stranger, true }) do
            never_set(map, 1, wrong, "value of `" .. map.name)
            never_found(map, wrong, 1, "key of `" .. map.name)
        end
        refused(map, "the key is nil", function() map:get(nil) end)
        refused(map, "the key is nil", function() map:set(nil, 1) end)
        refused(map, "the value is nil", function() map:set(1, nil) end)
    end
    refused(b.u32s, "holds whole numbers from 0 to 4294967295", function() b.u32s[1] = 2 ^ 32 end)
    refused(b.u64s, "holds whole numbers from 0 to 18446744073709551615", function() b.u64s[1] = -1 end)
end)

t.test("texts", function()
    b.names:set("bash", "x")
    never_set(b.names, "bash", "123456789", "a `char [8]` holds 8 bytes, and this has 9")
    never_found(b.names, ("x"):rep(17), "x", "a `char [16]` holds 16 bytes, and this has 17")
    b.names:set(("k"):rep(16), ("v"):rep(8))
    t.equal(b.names:get(("k"):rep(16)), ("v"):rep(8))
    for _, wrong in ipairs({ 5, true, a_function, stranger, 5ULL }) do
        never_set(b.names, "bash", wrong, "value of `names`")
        refused(b.names, "key of `names`", function() b.names:set(wrong, "x") end)
    end
    -- A long text is not repeated as a whole.
    local ok, err = pcall(b.names.set, b.names, ("y"):rep(5000), "x")
    t.equal(not ok and #tostring(err) < 600, true)
end)

t.test("structs", function()
    local map, key = b.texts, { comm = "me", pid = 1 }
    map:set(key, { low = -5, bytes = { 1, 2, 3 }, on = true, colour = "GREEN", wide = -1, place = 0x10ULL, three = 7, five = -16,
        forty = 2 ^ 40 - 1, inner = { x = 9 }, huge = 5 })
    local value = map:get(key)
    t.equal(value.three == 7 and value.five == -16 and tonumber(value.forty) == 2 ^ 40 - 1 and value.inner.x == 9, true)
    local wrong = {
        { { lwo = 1 }, "has no member `lwo`" }, { { low = 2 ^ 15 }, "value of `texts`.low" }, { { low = "x" }, "value of `texts`.low" },
        { { bytes = { 1, 2, 3, 4 } }, "has 3 elements, and this has 4" }, { { bytes = { 1, 256 } }, "value of `texts`.bytes[2]" },
        { { bytes = { 1, x = 2 } }, "this has `x`" }, { { bytes = "abc" }, "value of `texts`.bytes" },
        { { on = 2 }, "value of `texts`.on" }, { { on = "yes" }, "value of `texts`.on" },
        { { colour = "GREN" }, "did you mean `GREEN`?" }, { { colour = 2 ^ 33 }, "value of `texts`.colour" },
        { { wide = 0x8000000000000000ULL }, "value of `texts`.wide" }, { { place = -1 }, "value of `texts`.place" },
        { { place = "x" }, "value of `texts`.place" },
        { { three = 8 }, "a bit-field of 3 bits" }, { { three = -1 }, "a bit-field of 3 bits" }, { { three = 1.5 }, "a bit-field of 3 bits" },
        { { three = "x" }, "value of `texts`.three" }, { { three = 8ULL }, "a bit-field of 3 bits" }, { { three = {} }, "value of `texts`.three" },
        { { five = 16 }, "a bit-field of 5 bits" }, { { five = -17 }, "a bit-field of 5 bits" }, { { forty = 2 ^ 40 }, "a bit-field of 40 bits" },
        { { forty = 0x10000000000ULL }, "a bit-field of 40 bits" },
        { { inner = { y = 1 } }, "has no member `y`" }, { { inner = 5 }, "value of `texts`.inner" },
        { { inner = { x = 2 ^ 16 } }, "value of `texts`.inner.x" }, { { either = { as_int = 1, as_byte = 2 } }, "has one of its members" },
        { { huge = -1 }, "value of `texts`.huge" }, { { huge = 1.5 }, "value of `texts`.huge" },
        { 5, "value of `texts`" }, { "x", "value of `texts`" }, { stranger, "value of `texts`" },
        { b.others:Leaf({ a = 1 }), "and this is a `struct other`" },
    }
    for _, case in ipairs(wrong) do
        never_set(map, key, case[1], case[2])
    end
    never_found(map, { comm = ("x"):rep(17) }, {}, ".comm does not take")
    never_found(map, { pdi = 1 }, {}, "did you mean `pid`?")
    never_found(map, { pid = -1 }, {}, ".pid does not take")
    never_found(map, { [7] = 5 }, {}, "has no member `7`")
end)

t.test("arrays, per-CPU maps, queues, tries", function()
    b.slots[1] = 5
    for _, wrong in ipairs({ 4, -5, 1.5, "x", 2 ^ 40, 0 / 0 }) do
        refused(b.slots, "`slots`", function() b.slots:get(wrong) end)
        refused(b.slots, "`slots`", function() b.slots:set(wrong, 1) end)
        refused(b.slots, "`slots`", function() b.slots:delete(wrong) end)
        refused(b.slots, "`slots`", function() b.slots:items_update_batch({ 0, wrong }, { 1, 1 }) end)
    end
    b.by_cpu[0] = 3
    local cpus = b.by_cpu:get(0).cpus
    refused(b.by_cpu, ("there are %d CPUs, counted from 0"):format(cpus), function() b.by_cpu[0] = { [0] = 1, [cpus] = 2 } end)
    refused(b.by_cpu, "counted from 0", function() b.by_cpu[0] = { [0] = 1, x = 2 } end)
    never_set(b.by_cpu, 0, { [0] = -1 }, "value of `by_cpu`[0]")
    never_set(b.by_cpu, 0, -1, "value of `by_cpu`")
    for _, wrong in ipairs({ 2, -3, 1.5, "x", {}, a_function, stranger, 0 / 0, true }) do
        for _, method in ipairs({ "get", "getvalue", "sum", "max", "average", "delete" }) do
            refused(b.by_cpu, "`by_cpu`", function() b.by_cpu[method](b.by_cpu, wrong) end)
        end
    end
    for _, method in ipairs({ "getvalue", "sum", "max", "average" }) do
        refused(b.by_cpu, "the key is nil", function() b.by_cpu[method](b.by_cpu, nil) end)
        refused(b.u32s, "which has one value for all CPUs", function() b.u32s[method](b.u32s, 1) end)
    end
    never_set(b.by_cpu, 0, "x", "value of `by_cpu`")
    b.queue:push(1)
    for _, wrong in ipairs({ -1, 2 ^ 32, 0.5, "x", {}, a_function, stranger }) do
        refused(nil, "value of `queue`", function() b.queue:push(wrong) end)
    end
    refused(nil, "the value is nil", function() b.queue:push(nil) end)
    refused(nil, "`flags` of `push`", function() b.queue:push(1, "x") end)
    refused(nil, "it has `push`, `pop` and `peek`", function() b.queue:get(1) end)
    refused(nil, "value of `stack`.a", function() b.stack:push({ a = -1 }) end)
    refused(nil, "has no member `z`", function() b.stack:push({ z = 1 }) end)
    t.equal(b.queue:pop() == 1 and b.queue:pop() == nil and b.stack:pop() == nil, true)
    refused(b.u32s, "not queue or stack", function() b.u32s:push(1) end)
    refused(b.u32s, "`flags` of `set`", function() b.u32s:set(1, 1, "x") end)
    refused(b.u32s, "`flags` of `set`", function() b.u32s:set(1, 1, -1) end)
    refused(nil, "`programs`", function() b.programs[0] = "x" end)
    refused(nil, "`programs`", function() b.programs[0] = 1.5 end)
    refused(nil, "`programs`", function() b.programs[0] = b.u32s end)
end)

t.test("batches", function()
    local map = b.u32s
    refused(map, "there are 2 keys and 1 values", function() map:items_update_batch({ 1, 2 }, { 1 }) end)
    refused(map, "5 elements are given, and it takes 4", function() map:items_update_batch({ 1, 2, 3, 4, 5 }, { 1, 2, 3, 4, 5 }) end)
    refused(map, "key of `u32s`[2]", function() map:items_update_batch({ 1, "x" }, { 1, 2 }) end)
    refused(map, "value of `u32s`", function() map:items_update_batch({ 1, 2 }, { 1, -2 }) end)
    refused(map, "`keys` must be a list", function() map:items_update_batch(5, { 1 }) end)
    refused(map, "`keys`", function() map:items_update_batch(5ULL, { 1 }) end)
    refused(map, "`keys`", function() map:items_delete_batch(ffi.new("uint8_t[3]")) end)
    refused(map, "key of `u32s`[1]", function() map:items_delete_batch({ {} }) end)
end)

t.test("texts of keys and values", function()
    refused(nil, "a number of 32 bits", function() b.u32s:key_scanf("0x100000000") end)
    refused(nil, "a number of 32 bits", function() b.u32s:key_scanf("-1") end)
    refused(nil, "a number is expected", function() b.u32s:key_scanf("1e5x") end)
    refused(nil, "a number of 8 bits", function() b.u8s:leaf_scanf("256") end)
    refused(nil, "a number is expected", function() b.u64s:leaf_scanf("99999999999999999999") end)
    refused(nil, "`{`", function() b.texts:key_scanf("5") end)
    t.equal(b.s32s:key_scanf("-5") == -5 and b.s32s:key_scanf("0xfffffffb") == -5, true)
    -- Every kind of member, there and back.
    local text = b.texts:leaf_sprintf(b.texts:get({ comm = "me", pid = 1 }))
    t.equal(b.texts:leaf_sprintf(b.texts:leaf_scanf(text)), text)
    refused(nil, "a number of 128 bits", function() b.texts:leaf_scanf((text:gsub("0x5 }$", "0x" .. ("f"):rep(33) .. " }"))) end)
    t.contains(b.texts:leaf_sprintf({ huge = 5 }), " 0x5 }")
    t.equal(b.u64s:key_scanf("0xffffffffffffffff") == 0xffffffffffffffffULL, true)
end)

t.test("global variables", function()
    refused(nil, "variable `number`", function() b.vars.number = 2 ^ 31 end)
    refused(nil, "variable `number`", function() b.vars.number = "x" end)
    refused(nil, "variable `number`", function() b.vars.number = nil end)
    refused(nil, "did you mean `number`?", function() b.vars.numbr = 1 end)
    refused(nil, "variable `list`[2]", function() b.vars.list = { 9, "x" } end)
    refused(nil, "variable `list`", function() b.vars.list = { 1, 2, 3, 4 } end)
    refused(nil, "variable `name`", function() b.vars.name = "123456789" end)
    refused(nil, "it is a constant", function() b.vars.limit = 1 end)
    t.equal(b.vars.number, 7)
    t.equal(b.vars.list[0] == 1 and b.vars.list[2] == 3, true)
    t.equal(b.vars.name, "abc")
    local text = "volatile const u32 limit = 1; BPF_ARRAY(m);"
    refused(nil, "variable `limit`", BPF, { text = text, constants = { limit = -1 } })
    refused(nil, "did you mean `limit`?", BPF, { text = text, constants = { limt = 1 } })
    refused(nil, "`constants`", BPF, { text = text, constants = 5 })
    refused(nil, "option `max_entries` of `BPF{maps.m}` is -1", BPF, { text = text, maps = { m = { max_entries = -1 } } })
    refused(nil, "the C text has no such map", BPF, { text = text, maps = { mm = { max_entries = 1 } } })
end)

t.test("attributes of perf events", function()
    for name, wrong in pairs({ sample_period = -1, config = 1.5, type = 2 ^ 32, disabled = 2, wakeup_events = -1 }) do
        refused(nil, ("`%s` of a perf_event_attr"):format(name), function() BPF.Perf.perf_event_attr({ [name] = wrong }) end)
        refused(nil, ("`%s` of a perf_event_attr"):format(name), function()
            b:attach_perf_event_raw({ attr = { [name] = wrong }, fn_name = "x" })
        end)
    end
    refused(nil, "has no member `sample_perod`", function() BPF.Perf.perf_event_attr({ sample_perod = 1 }) end)
    local attr = BPF.Perf.perf_event_attr({ config = 0xffffffffffffffffULL, sample_freq = 99, freq = 1, clockid = -1 })
    t.equal(attr.config == 0xffffffffffffffffULL and attr.sample_period == 99 and attr.freq == 1 and attr.clockid == -1, true)
end)

-- The last one: it counts what the others did.
t.test("no method that takes a key or a value is left out", function()
    for _, name in ipairs(takers) do
        if not refusing[name] then
            error(("nothing here gives `%s` a key or a value that does not fit"):format(name), 0)
        end
    end
end)
