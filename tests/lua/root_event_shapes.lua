-- SPDX-License-Identifier: Apache-2.0
-- Events of every shape that C has: submitted with known values through a perf and a ring buffer, each member compared.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpgid(int pid);")

-- Each shape: its declarations, the statements that fill `e`, what its members are as Lua writes them, and as JSON.
local SHAPES = {
    {
        name = "whole numbers",
        fields = "u8 a; s8 b; u16 c; s16 d; u32 e4; s32 f; u64 g; s64 h; pid_t pid; size_t size; char letter; unsigned char byte;",
        fill = [[e.a = 255; e.b = -128; e.c = 65535; e.d = -32768; e.e4 = 0xffffffff; e.f = -2147483647 - 1;
            e.g = 0xffffffffffffffffULL; e.h = -0x7fffffffffffffffLL - 1; e.pid = -5; e.size = 1ULL << 63; e.letter = 'x'; e.byte = 200;]],
        members = {
            a = 255, b = -128, c = 65535, d = -32768, e4 = 4294967295, f = -2147483648, g = 0xffffffffffffffffULL,
            h = -0x8000000000000000LL, pid = -5, size = 0x8000000000000000ULL, letter = 120, byte = 200,
        },
        text = "{a = 255, b = -128, c = 65535, d = -32768, e4 = 4294967295, f = -2147483648, g = 18446744073709551615, "
            .. "h = -9223372036854775808, pid = -5, size = 9223372036854775808, letter = 120, byte = 200}",
        json = '{"a":255,"b":-128,"c":65535,"d":-32768,"e4":4294967295,"f":-2147483648,"g":18446744073709551615,'
            .. '"h":-9223372036854775808,"pid":-5,"size":9223372036854775808,"letter":120,"byte":200}',
    },
    {
        name = "nested structs, anonymous members, unions",
        before = "struct deepest { u8 x; u16 y; }; struct deep { u8 pad; struct deepest d[2]; };",
        fields = "u8 first; struct deep deep; struct { u32 in_struct; union { u64 as_long; u8 as_byte; }; }; union { u32 whole; u16 half; } u; u8 last;",
        fill = [[e.first = 1; e.deep.d[0].x = 2; e.deep.d[1].y = 0x1234; e.in_struct = 5; e.as_long = 0x1122334455667788ULL;
            e.u.whole = 0x00050006; e.last = 9;]],
        check = function(e)
            t.equal(e.first == 1 and e.deep.d[0].x == 2 and e.deep.d[0].y == 0 and e.deep.d[1].y == 0x1234, true)
            t.equal(e.in_struct == 5 and e.as_long == 0x1122334455667788ULL and e.as_byte == 0x88, true)
            t.equal(e.u.whole == 0x50006 and e.u.half == 6 and e.last == 9, true)
        end,
        text = "{first = 1, deep = {pad = 0, d = {{x = 2, y = 0}, {x = 0, y = 4660}}}, in_struct = 5, as_long = 1234605616436508552, "
            .. "as_byte = 136, u = {whole = 327686, half = 6}, last = 9}",
        json = '{"first":1,"deep":{"pad":0,"d":[{"x":2,"y":0},{"x":0,"y":4660}]},"in_struct":5,"as_long":1234605616436508552,'
            .. '"as_byte":136,"u":{"whole":327686,"half":6},"last":9}',
    },
    {
        name = "bit-fields",
        before = "enum level { LOW, HIGH = 3 };",
        fields = "enum level level:2; u32 a:3; u32 b:13; s32 c:5; u32 across:20; u64 wide:33; s64 signed_wide:40; u64 most:63; u8 flag:1; bool on:1; u16 tail:16;",
        fill = [[e.level = HIGH; e.a = 5; e.b = 4097; e.c = -16; e.across = 0xfffff; e.wide = 0x1ffffffffULL; e.signed_wide = -0x7fffffffffLL;
            e.most = 0x7fffffffffffffffULL; e.flag = 1; e.on = 1; e.tail = 65535;]],
        check = function(e)
            t.equal(e.level == 3 and e.a == 5 and e.b == 4097 and e.c == -16 and e.across == 0xfffff, true)
            t.equal(e.wide == 0x1ffffffffULL and e.signed_wide == -0x7fffffffffLL and e.most == 0x7fffffffffffffffULL, true)
            t.equal(e.flag == 1 and e.on == true and e.tail == 65535, true)
        end,
        text = "{level = HIGH, a = 5, b = 4097, c = -16, across = 1048575, wide = 8589934591, signed_wide = -549755813887, "
            .. "most = 9223372036854775807, flag = 1, on = true, tail = 65535}",
        json = '{"level":"HIGH","a":5,"b":4097,"c":-16,"across":1048575,"wide":8589934591,"signed_wide":-549755813887,"most":9223372036854775807,'
            .. '"flag":1,"on":true,"tail":65535}',
    },
    {
        name = "packed and aligned",
        fields = "u8 a; u64 b; u16 c; struct { u8 x; u32 y; } __attribute__((packed)) d; u32 e4:7; u32 f:30; u8 g;",
        attribute = "__attribute__((packed))",
        fill = "e.a = 1; e.b = 0x0102030405060708ULL; e.c = 3; e.d.x = 4; e.d.y = 0xdeadbeef; e.e4 = 100; e.f = 0x3fffffff; e.g = 7;",
        check = function(e)
            t.equal(e.a == 1 and e.b == 0x0102030405060708ULL and e.c == 3 and e.d.x == 4 and e.d.y == 0xdeadbeef, true)
            t.equal(e.e4 == 100 and e.f == 0x3fffffff and e.g == 7, true)
        end,
        json = '{"a":1,"b":72623859790382856,"c":3,"d":{"x":4,"y":3735928559},"e4":100,"f":1073741823,"g":7}',
    },
    {
        name = "128 bits",
        fields = "u8 a; unsigned __int128 wide; __int128 signed_wide; struct { __int128 list[2]; } in;",
        fill = [[e.a = 1; e.wide = ((unsigned __int128)0xfedcba9876543210ULL << 64) | 0x0123456789abcdefULL; e.signed_wide = -2;
            e.in.list[0] = (__int128)1 << 127; e.in.list[1] = 3;]],
        text = "{a = 1, wide = 338770000845734292516042252062085074415, signed_wide = -2, "
            .. "in = {list = {-170141183460469231731687303715884105728, 3}}}",
        json = '{"a":1,"wide":"338770000845734292516042252062085074415","signed_wide":"-2",'
            .. '"in":{"list":["-170141183460469231731687303715884105728","3"]}}',
        check = function(e)
            t.equal(e.a == 1 and e.wide.hi == 0xfedcba9876543210ULL and e.wide.lo == 0x0123456789abcdefULL, true)
            t.equal(e.signed_wide.hi == -1LL and e.signed_wide.lo == 0xfffffffffffffffeULL and e["in"].list[1].lo == 3ULL, true)
        end,
    },
    {
        name = "texts and arrays",
        before = "struct point { s32 x; s32 y; };",
        fields = "char comm[16]; char full[4]; char empty[8]; char names[2][8]; u8 bytes[3]; u32 cube[2][3][2]; struct point points[2]; void *address; char *text;",
        fill = [[__builtin_memcpy(e.comm, "bash", 5); __builtin_memcpy(e.full, "abcd", 4); __builtin_memcpy(e.names[1], "two", 4);
            e.bytes[0] = 1; e.bytes[2] = 3; e.cube[1][2][1] = 12; e.cube[0][1][0] = 2; e.points[1].y = -7;
            e.address = (void *)0xffffffff81000000ULL; e.text = (char *)0x10;]],
        check = function(e)
            t.equal(ffi.string(e.comm) == "bash" and ("%s|%s|%s"):format(e.comm, e.full, e.empty) == "bash|abcd|", true)
            t.equal(("%s|%s"):format(e.names[0], e.names[1]), "|two")
            t.equal(e.bytes[0] == 1 and e.bytes[1] == 0 and e.bytes[2] == 3 and e.cube[1][2][1] == 12 and e.cube[0][1][0] == 2, true)
            t.equal(e.points[1].y == -7 and e.points[0].x == 0 and e.address == 0xffffffff81000000ULL and e.text == 16ULL, true)
        end,
        text = '{comm = "bash", full = "abcd", empty = "", names = {"", "two"}, bytes = {1, 0, 3}, cube = {{{0, 0}, {2, 0}, {0, 0}}, '
            .. '{{0, 0}, {0, 0}, {0, 12}}}, points = {{x = 0, y = 0}, {x = 0, y = -7}}, address = 18446744071578845184, text = 16}',
        json = '{"comm":"bash","full":"abcd","empty":"","names":["","two"],"bytes":[1,0,3],"cube":[[[0,0],[2,0],[0,0]],'
            .. '[[0,0],[0,0],[0,12]]],"points":[{"x":0,"y":0},{"x":0,"y":-7}],"address":18446744071578845184,"text":16}',
    },
    {
        name = "bool and enums",
        before = "enum colour { RED, GREEN = 5, BELOW = -3 }; enum big { SMALL = 1, HUGE_ONE = 0x100000000ULL }; typedef enum { ON = 1 } state_t;",
        fields = "bool yes; bool no; enum colour colour; enum colour below; enum colour unknown; enum big big; state_t state; enum colour colours[2];",
        fill = [[e.yes = 1; e.colour = GREEN; e.below = BELOW; e.unknown = 77; e.big = HUGE_ONE; e.state = ON; e.colours[1] = GREEN;]],
        check = function(e)
            t.equal(e.yes == true and e.no == false and e.colour == 5 and e.below == -3 and e.unknown == 77, true)
            t.equal(e.big == 0x100000000ULL and e.state == 1 and e.colours[0] == 0 and e.colours[1] == 5, true)
        end,
        text = "{yes = true, no = false, colour = GREEN, below = BELOW, unknown = 77, big = HUGE_ONE, state = ON, colours = {RED, GREEN}}",
        json = '{"yes":true,"no":false,"colour":"GREEN","below":"BELOW","unknown":77,"big":"HUGE_ONE","state":"ON","colours":["RED","GREEN"]}',
    },
    {
        name = "what is empty",
        before = "struct nothing {}; ",
        fields = "u32 a; struct nothing none; struct {} anonymous; u32 no_elements[0]; u32 b;",
        fill = "e.a = 1; e.b = 2;",
        check = function(e)
            t.equal(e.a == 1 and e.b == 2, true)
        end,
        json = '{"a":1,"none":{},"anonymous":{},"no_elements":[],"b":2}',
    },
    {
        name = "a flexible array at the end",
        fields = "u32 length; u8 tail[];",
        room = 4,
        fill = "e.length = 4; __builtin_memcpy(&e.tail, \"\\1\\2\\3\\4\", 4);",
        -- Only what the handler gets has the elements.
        check = function(e, size, bytes)
            t.equal(e.length == 4 and size >= 8, true)
            t.equal(bytes:sub(1, 8), "\4\0\0\0\1\2\3\4")
        end,
        in_handler = function(e)
            return e.tail[0] == 1 and e.tail[1] == 2 and e.tail[3] == 4
        end,
    },
    {
        name = "members that Lua or LuaJIT would read differently",
        fields = "u32 end; u32 to_table; u32 nil; u32 complex; u32 function; u32 __pad0;",
        fill = "e.end = 1; e.to_table = 2; e.nil = 4; e.complex = 5; e.function = 6; e.__pad0 = 7;",
        check = function(e)
            t.equal(e["end"] == 1 and e["nil"] == 4 and e.complex == 5 and e["function"] == 6, true)
            -- A member goes before a method of its name.
            t.equal(e.to_table == 2 and e.__pad0 == 7, true)
        end,
        methods = false,
    },
}

local function text_of(shape, submit)
    local body = ("struct event_t { %s } %s;\n"):format(shape.fields, shape.attribute or "")
    local declare = ("struct event_t e;\n    __builtin_memset(&e, 0, sizeof(e));")
    local size = "sizeof(e)"
    if shape.room then
        declare = ("union { struct event_t event; u8 room[sizeof(struct event_t) + %d]; } u = {};\n"):format(shape.room)
        size = ("sizeof(struct event_t) + %d"):format(shape.room)
    end
    local fill = shape.room and shape.fill:gsub("%f[%w]e%.", "u.event.") or shape.fill
    return ([[
%s
%s
BPF_PERF_OUTPUT(events);
BPF_RINGBUF_OUTPUT(ring, 1);
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid)
{
    %s
    %s
    %s
    return 0;
}
]]):format(shape.before or "", body, declare, fill, submit:format(shape.room and "&u.event" or "&e", size))
end

-- The one event of a buffer, kept; its object, its size, its bytes.
local function event_through(shape, map, method, submit)
    local b = BPF({ text = text_of(shape, submit) })
    local kept, length, bytes, was_right
    b[map][method](b[map], function(_, event, size)
        kept, length, bytes = event:copy(), size, ffi.string(event, size)
        was_right = not shape.in_handler or shape.in_handler(event)
    end)
    ffi.C.getpgid(0)
    local polls = 0
    while not kept and polls < 100 do
        b:perf_buffer_poll(100)
        polls = polls + 1
    end
    assert(kept, "no event came")
    t.equal(was_right, true)
    return kept, b, length, bytes
end

local function check_members(shape, event)
    for name, wanted in pairs(shape.members) do
        if event[name] ~= wanted then
            error(("%s is %s, not %s"):format(name, tostring(event[name]), tostring(wanted)))
        end
    end
end

local function check(shape, event, ...)
    if shape.members then
        check_members(shape, event)
    else
        shape.check(event, ...)
    end
    if shape.text then
        t.equal(tostring(event), shape.text)
        t.equal(event:tuple(), shape.text)
    end
    if shape.json then
        t.equal(json.encode(event), shape.json)
    end
end

-- What every event answers: equal ones are equal keys of a table, its members are those of a table.
local function check_methods(shape, event, other)
    local seen = {}
    seen[event:tuple()] = 1
    seen[other:tuple()] = (seen[other:tuple()] or 0) + 1
    t.equal(seen[event:tuple()], 2)
    t.equal(event == other, true)
    t.equal(tostring(event), event:tuple())
    local members = event:to_table()
    for name, value in pairs(shape.members or {}) do
        t.equal(members[name] == value, true)
    end
    assert(next(members), "to_table gives nothing")
    assert(json.encode(event):find("^{.*}$"))
end

local PERF = "events.perf_submit(args, %s, %s);"
local RING = "ring.ringbuf_output(%s, %s, 0);"

for _, shape in ipairs(SHAPES) do
    t.test(shape.name, function()
        local event, b, length, bytes = event_through(shape, "events", "open_perf_buffer", PERF)
        check(shape, event, length, bytes)
        local other, c, other_length, other_bytes = event_through(shape, "ring", "open_ring_buffer", RING)
        check(shape, other, other_length, other_bytes)
        if shape.methods ~= false then
            check_methods(shape, event, other)
        end
        b:close()
        c:close()
    end)
end
