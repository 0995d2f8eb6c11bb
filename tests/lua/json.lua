-- SPDX-License-Identifier: Apache-2.0
-- `json.encode`: Lua's values, the kernel's, and what JSON cannot say.

local t = require("harness")
local ffi = require("ffi")
local types = require("bpflua.types")

t.test("plain values", function()
    t.equal(json.encode(nil), "null")
    t.equal(json.encode(json.null), "null")
    t.equal(json.encode(true), "true")
    t.equal(json.encode(-3), "-3")
    t.equal(json.encode(1.5), "1.5")
    t.equal(json.encode(2 ^ 53 - 1), "9007199254740991")
    t.equal(json.encode(0 / 0), "null")
    t.equal(json.encode(math.huge), "null")
    t.equal(json.encode("a\"b\\\n\1é"), '"a\\"b\\\\\\n\\u0001é"')
end)

t.test("bytes that are no UTF-8 are replaced, the line stays valid", function()
    t.equal(json.encode("a\255b\xc3"), '"a\239\191\189b\239\191\189"')
    t.equal(json.encode("\xed\xa0\x80"), '"' .. ("\239\191\189"):rep(3) .. '"')
    t.equal(json.encode("\xf0\x9f\x90\x9d"), '"\xf0\x9f\x90\x9d"')
end)

t.test("tables", function()
    t.equal(json.encode({}), "{}")
    t.equal(json.encode({ 1, "b", { c = false } }), '[1,"b",{"c":false}]')
    t.equal(json.encode({ b = 1, a = 2, [3] = 4 }), '{"3":4,"a":2,"b":1}')
    t.equal(json.encode({ 1, json.null, 3 }), "[1,null,3]")
    local loop = {}
    loop.loop = loop
    t.contains(t.fails(json.encode, loop), "holds itself")
    t.contains(t.fails(json.encode, print), "cannot encode a function")
end)

t.test("64-bit integers keep their digits, char[N] is text", function()
    t.equal(json.encode(0xffffffffffffffffULL), "18446744073709551615")
    t.equal(json.encode(-1LL), "-1")
    t.equal(json.encode(ffi.new("char[8]", "bash")), '"bash"')
end)

t.test("structs by their members, in order", function()
    local u32 = { kind = "int", name = "u32", decl = "uint32_t", size = 4 }
    local u64 = { kind = "int", name = "u64", decl = "uint64_t", size = 8 }
    local char = { kind = "char", name = "char", decl = "char", size = 1 }
    local color = { kind = "enum", name = "enum color", decl = "uint32_t", size = 4, values = { RED = 1 }, order = { "RED" } }
    local event = types.of({
        kind = "struct", name = "struct event", size = 48,
        decl = "struct { uint64_t ts; uint32_t pid; uint32_t color; char comm[16]; uint32_t list[2]; $ in_; }",
        fields = {
            { name = "ts", offset = 0, type = u64 },
            { name = "pid", offset = 8, type = u32 },
            { name = "color", offset = 12, type = color },
            { name = "comm", offset = 16, type = { kind = "array", name = "char [16]", decl = "char[16]", size = 16, count = 16, element = char } },
            { name = "list", offset = 32, type = { kind = "array", name = "u32 [2]", decl = "uint32_t[2]", size = 8, count = 2, element = u32 } },
            { name = "in_", offset = 40, type = { kind = "struct", name = "struct in", decl = "struct { uint32_t x; }", size = 4,
                fields = { { name = "x", offset = 0, type = u32 } } } },
        },
    })
    local value = event.ctype(2 ^ 40, 7, 1, "me", { 1, 2 }, { 9 })
    t.equal(json.encode(value), '{"ts":1099511627776,"pid":7,"color":"RED","comm":"me","list":[1,2],"in_":{"x":9}}')
    t.equal(json.encode({ value }), "[" .. json.encode(value) .. "]")
end)
