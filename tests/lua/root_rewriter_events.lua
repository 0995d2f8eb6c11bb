-- SPDX-License-Identifier: Apache-2.0
-- What buffers carry: events that are no structs, submitted from functions and macros, of several types, of none.

local ffi = require("ffi")
local stderr = require("help.stderr")
local t = require("harness")

local PACKET = ("\0"):rep(64)

-- The three ways to submit what `e` is, of type TYPE.
local WAYS = {
    perf = { "BPF_PERF_OUTPUT(events);", "TYPE e = {}; FILL return events.perf_submit(skb, &e, sizeof(e));" },
    ring = { "BPF_RINGBUF_OUTPUT(events, 8);", "TYPE e = {}; FILL return events.ringbuf_output(&e, sizeof(e), 0);" },
    reserved = {
        "BPF_RINGBUF_OUTPUT(events, 8);",
        [[TYPE e = {}, *place = events.ringbuf_reserve(sizeof(TYPE));
            if (!place) return 1;
            FILL __builtin_memcpy(place, &e, sizeof(e));
            events.ringbuf_submit(place, 0);
            return 0;]],
    },
}

-- Each with its declaration, the type, what fills it, and what the handler makes of it.
local EVENTS = {
    { "a 64-bit number", "", "u64", "e = 0xfedcba9876543210ULL;", function(e) return e end, 0xfedcba9876543210ULL },
    { "a 32-bit number", "", "s32", "e = -5;", function(e) return e end, -5 },
    { "a type of the kernel's", "", "pid_t", "e = 77;", function(e) return e end, 77 },
    { "bool", "", "bool", "e = 1;", function(e) return e end, true },
    { "a size", "", "size_t", "e = 1ULL << 40;", function(e) return e end, 0x10000000000ULL },
    { "128 bits", "", "unsigned __int128", "e = (unsigned __int128)5 << 64 | 6;", function(e) return tostring(e) end, "92233720368547758086" },
    { "an enumeration", "enum colour { RED, GREEN = 5 };", "enum colour", "e = GREEN;", function(e) return tonumber(e) end, 5 },
    { "a pointer", "typedef void *place_t;", "place_t", "e = (void *)0xffff888000000010ULL;", function(e) return e end, 0xffff888000000010ULL },
    { "a text", "typedef char comm_t[16];", "comm_t", '__builtin_memcpy(e, "hello", 6);', function(e) return ("%s"):format(e) end, "hello" },
    { "an array", "typedef u32 four_t[4];", "four_t", "e[0] = 5; e[3] = 7;", function(e) return e[0] * 100 + e[1] * 10 + e[3] end, 507 },
    { "an array of arrays", "typedef u16 grid_t[2][3];", "grid_t", "e[1][2] = 9;", function(e) return e[1][2] + e[0][1] end, 9 },
    { "a union", "union both { u32 whole; u8 bytes[4]; };", "union both", "e.whole = 0x01020304;", function(e) return e.whole * 256 + e.bytes[0] end, 0x0102030404 },
    { "a struct without a name", "typedef struct { u64 a; struct { u8 b; } in; } odd_t;", "odd_t", "e.a = 7; e.in.b = 8;",
        function(e) return e.a * 10 + e["in"].b end, 78ULL },
}

local function submitted(way, event)
    local declaration, body = unpack(WAYS[way])
    local words = { TYPE = event[3], FILL = event[4] }
    local b = BPF({ text = event[2] .. declaration .. 'SEC("socket") int f(struct __sk_buff *skb) {' .. body:gsub("%u%u%u%u", words) .. "}" })
    local seen = {}
    b.events[way == "perf" and "open_perf_buffer" or "open_ring_buffer"](b.events, function(_, e)
        seen[#seen + 1] = event[5](e)
    end)
    t.equal(tonumber(b:test_run({ fn_name = "f", data_in = PACKET }).retval), 0)
    b[way == "perf" and "perf_buffer_poll" or "ring_buffer_poll"](b, 1000)
    b:cleanup()
    t.equal(#seen, 1)
    return seen[1]
end

for _, event in ipairs(EVENTS) do
    t.test(event[1], function()
        for way in pairs(WAYS) do
            t.equal(submitted(way, event), event[6])
        end
    end)
end

local HEAD = [[
struct small_t { u32 a; };
struct large_t { u64 x, y; };
BPF_PERF_OUTPUT(events);
]]

-- What is said of a text while it compiles, and what handlers get of the programs `a` and `b`.
local function both(text)
    local told, ok, b = stderr.of(BPF, { text = HEAD .. text })
    assert(ok, b)
    local seen = {}
    b.events:open_perf_buffer(function(_, e)
        seen[#seen + 1] = tostring(e)
    end)
    for _, name in ipairs({ "a", "b" }) do
        b:test_run({ fn_name = name, data_in = PACKET })
    end
    b:perf_buffer_poll(1000)
    b:cleanup()
    return told, table.concat(seen, " ")
end

local SMALL = 'SEC("socket") int a(struct __sk_buff *skb)\n{\n    struct small_t e = { 1 };\n    return events.perf_submit(skb, &e, sizeof(e));\n}\n'
local LARGE = 'SEC("socket") int b(struct __sk_buff *skb)\n{\n    struct large_t e = { 2, 3 };\n    return events.perf_submit(skb, &e, sizeof(e));\n}\n'

t.test("of two types in one buffer the last in the text counts, and the compiler says so", function()
    local told, seen = both(SMALL .. LARGE)
    t.contains(told, "`events` carries `struct small_t` here and `struct large_t` in line 12: handlers get every event as the latter")
    -- What the first has not is zeros, not what lies behind it.
    t.equal(seen, "{x = 1, y = 0} {x = 2, y = 3}")
    told, seen = both(LARGE .. SMALL)
    t.contains(told, "`events` carries `struct large_t` here and `struct small_t` in line 12")
    t.equal(seen, "{a = 1} {a = 2}")
end)

t.test("one type in several places, under several names, is one type", function()
    local told, seen = both("typedef struct large_t other_t;\n" .. LARGE .. [[
SEC("socket") int a(struct __sk_buff *skb)
{
    const other_t e = { 8, 9 };
    return events.perf_submit(skb, (other_t *)&e, sizeof(e));
}
]])
    t.equal(told, "")
    t.equal(seen, "{x = 8, y = 9} {x = 2, y = 3}")
end)

t.test("what goes in without a type leaves the type that others said", function()
    local VOID = [[
static int out(void *ctx, void *data, u32 size) { return events.perf_submit(ctx, data, size); }
SEC("socket") int a(struct __sk_buff *skb)
{
    struct large_t e = { 4, 5 };
    return out(skb, &e, sizeof(e));
}
]]
    for _, text in ipairs({ LARGE .. VOID, VOID .. LARGE }) do
        local told, seen = both(text)
        t.equal(told, "")
        t.equal(seen, "{x = 4, y = 5} {x = 2, y = 3}")
    end
end)

t.test("nobody says a type: bytes", function()
    local b = BPF({ text = HEAD .. [[
SEC("socket") int f(struct __sk_buff *skb)
{
    struct small_t e = { 0x01020304 };
    return events.perf_submit(skb, (void *)&e, sizeof(e));
}
]] })
    local seen = {}
    b.events:open_perf_buffer(function(_, data, size)
        seen[#seen + 1] = ffi.string(data, size):sub(1, 4)
    end)
    b:test_run({ fn_name = "f", data_in = PACKET })
    b:perf_buffer_poll(1000)
    t.equal(table.concat(seen), "\4\3\2\1")
    b:cleanup()
end)

t.test("submitted by macros and by functions, of compound literals and of what a map holds", function()
    local b = BPF({ text = HEAD .. [[
BPF_ARRAY(held, struct large_t, 1);
#define OUT(to, what) to.perf_submit(skb, &(what), sizeof(what))
static int out(void *ctx, u64 x) { struct large_t e = { x, 1 }; return events.perf_submit(ctx, &e, sizeof(e)); }
SEC("socket") int f(struct __sk_buff *skb)
{
    int zero = 0;
    struct large_t e = { 10, 11 }, *kept = held.lookup(&zero);

    OUT(events, e);
    out(skb, 20);
    events.perf_submit(skb, &(struct large_t){ 30, .y = 31 }, sizeof(struct large_t));
    if (kept) {
        kept->x = 40;
        events.perf_submit(skb, kept, sizeof(*kept));
    }
    return 0;
}
]] })
    local seen = {}
    b.events:open_perf_buffer(function(_, e)
        seen[#seen + 1] = ("%d/%d"):format(e.x, e.y)
    end)
    b:test_run({ fn_name = "f", data_in = PACKET })
    b:perf_buffer_poll(1000)
    t.equal(table.concat(seen, " "), "10/11 20/1 30/31 40/0")
    b:cleanup()
end)
