-- SPDX-License-Identifier: Apache-2.0
-- Values on their way to the kernel and back, by the type that the C text gives.

local t = require("harness")
local ffi = require("ffi")
local types = require("bpflua.types")

local function int(name, size, signed)
    local decl = (signed and "int" or "uint") .. size * 8 .. "_t"
    return { name = name, size = size, kind = "int", signed = signed, decl = decl }
end

local u8, u32, s32, u64, s64 = int("u8", 1), int("u32", 4), int("int", 4, true), int("u64", 8), int("s64", 8, true)
local char = { name = "char", size = 1, kind = "char", decl = "char" }
local comm = { name = "char [4]", size = 4, kind = "array", decl = "char[4]", element = char, count = 4 }
local color = { name = "enum color", size = 4, kind = "enum", decl = "uint32_t", values = { RED = 0, BLUE = 7 }, order = { "RED", "BLUE" } }
local pair = {
    name = "struct pair", size = 16, kind = "struct",
    decl = "struct __attribute__((packed)) { uint32_t pid; char comm[4]; uint8_t bits:3; uint8_t __pad0[7]; }",
    fields = {
        { name = "pid", offset = 0, type = u32 },
        { name = "comm", offset = 4, type = comm },
        { name = "bits", offset = 8, bit = 0, bits = 3, type = u32 },
        { name = "wide", offset = 8, bit = 3, bits = 40, type = u64, hidden = true },
    },
}

-- A value there and back.
local function through(description, value)
    local ctype = types.of(description)
    local cell = ctype:cell()
    ctype:store(cell, 0, value, "it")
    return ctype:load(cell, 0)
end

t.test("integers keep their value", function()
    t.equal(through(u32, 0xffffffff), 0xffffffff)
    t.equal(through(s32, -1), -1)
    t.equal(through(u8, 255ULL), 255)
    t.equal(through(u64, 0xffffffffffffffffULL), 0xffffffffffffffffULL)
    t.equal(through(u64, 2 ^ 63), 0x8000000000000000ULL)
    t.equal(through(s64, -5), -5LL)
end)

t.test("a number that does not fit is refused", function()
    for _, case in ipairs({ { u32, -1 }, { u32, 2 ^ 32 }, { s32, 2 ^ 31 }, { u8, 1.5 }, { u8, 256ULL }, { u64, -1 }, { u64, 2 ^ 64 },
        { u64, 0 / 0 } }) do
        t.contains(t.fails(through, case[1], case[2]), "it does not take")
    end
    t.contains(t.fails(through, u32, 2 ^ 32), "a `u32` holds whole numbers from 0 to 4294967295")
    t.contains(t.fails(through, u32, "5"), "it is a `u32`, and this is a string")
    t.contains(t.fails(through, u32, {}), "and this is a table")
end)

t.test("enums take their names", function()
    t.equal(through(color, "BLUE"), 7)
    t.equal(types.of(color):name_of(7), "BLUE")
    t.equal(types.of(color):name_of(7ULL), "BLUE")
    t.equal(types.of(color):name_of(8), nil)
    -- What a Lua number cannot hold comes as digits; of two names of a value, the first counts.
    local big = types.of({ name = "enum big", size = 8, kind = "enum", decl = "uint64_t", order = { "TOP", "ALSO", "ONE" },
        values = { TOP = "18446744073709551615", ALSO = "18446744073709551615", ONE = 1 } })
    t.equal(big:name_of(0xffffffffffffffffULL), "TOP")
    t.equal(big:name_of(0xfffffffffffffffeULL), nil)
    t.equal(big:name_of(1ULL), "ONE")
    local cell = big:cell()
    big:store(cell, 0, "ALSO", "it")
    t.equal(cell[0], 0xffffffffffffffffULL)
    t.contains(t.fails(through, color, "GREEN"), '"GREEN"')
end)

t.test("text", function()
    t.equal(through(comm, "abc"), "abc")
    t.equal(through(comm, "abcd"), "abcd")
    t.contains(t.fails(through, comm, "abcde"), "a `char [4]` holds 4 bytes, and this has 5")
end)

t.test("structs from tables, and as text", function()
    local value = through(pair, { pid = 3, comm = "me", bits = 5 })
    t.equal(value.pid, 3)
    t.equal(value.bits, 5)
    t.equal(tostring(value), '{pid = 3, comm = "me", bits = 5, wide = 0}')
    t.equal(value:tuple(), through(pair, { pid = 3, comm = "me", bits = 5 }):tuple())
    t.equal(value == through(pair, { pid = 3, comm = "me", bits = 5 }), true)
    t.equal(value == through(pair, { pid = 4 }), false)
    t.equal(value:to_table().comm, "me")
    t.equal(value:copy().pid, 3)
end)

t.test("a bit-field that the declaration lacks is read at its place", function()
    local value = types.of(pair).ctype()
    local bytes = ffi.cast("uint8_t *", value)
    bytes[8], bytes[9], bytes[13] = 0xf8, 0xff, 0x04
    t.equal(value.bits, 0)
    t.equal(value.wide, 0x8000001fffULL)
end)

t.test("unknown members name the nearest", function()
    t.contains(t.fails(through, pair, { pidd = 1 }), "`struct pair` has no member `pidd`")
    local value = types.of(pair).ctype()
    t.contains(t.fails(function() return value.com end), "did you mean `comm`?")
end)

t.test("what does not fit leaves the target as it was", function()
    local ctype = types.of(pair)
    local cell = ctype:cell()
    ctype:store(cell, 0, { pid = 9 }, "it")
    t.contains(t.fails(ctype.store, ctype, cell, 0, { pid = 1, comm = "too long" }, "it"), "it.comm does not take")
    t.equal(cell[0].pid, 9)
end)

t.test("the same struct is the same type wherever it comes from", function()
    local again = {}
    for name, value in pairs(pair) do
        again[name] = value
    end
    t.equal(types.of(again).ctype == types.of(pair).ctype, true)
end)
