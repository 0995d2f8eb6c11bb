-- SPDX-License-Identifier: Apache-2.0
-- `string.format` and `print` with values as they come out of the kernel.

local t = require("harness")
local ffi = require("ffi")
local format = require("bpflua.format")

t.test("64-bit integers", function()
    t.equal(("%d|%u|%x|%s|%5s|%-5s|"):format(-1LL, -1ULL, -1ULL, 5ULL, 7LL, 7LL), "-1|18446744073709551615|ffffffffffffffff|5|    7|7    |")
    t.equal(("%% %d%%"):format(5ULL), "% 5%")
    t.equal(("%d %x"):format(ffi.cast("unsigned long long", 5), ffi.cast("long long", 255)), "5 ff")
    t.equal(("%08x %.3f"):format(255ULL, 1.5), "000000ff 1.500")
end)

t.test("text of char[N] ends at its NUL, or at N", function()
    t.equal(("%-6s|"):format(ffi.new("char[16]", "bash")), "bash  |")
    t.equal(format.text(ffi.new("char[3]", { 97, 98, 99 })), "abc")
    local event = ffi.new("struct { int pid; char comm[16]; }", { 1, "me" })
    t.equal(("%s"):format(event.comm), "me")
end)

t.test("other arrays are their elements", function()
    t.equal(format.text(ffi.new("uint8_t[4]", { 1, 2, 255 })), "{1, 2, 255, 0}")
    t.equal(("%s"):format(ffi.new("int[2][2]", { { -1, 2 }, { 3, 4 } })), "{{-1, 2}, {3, 4}}")
    t.equal(format.text(ffi.new("uint64_t[2]", 5)), "{5, 5}")
    t.equal(format.text(ffi.new("struct { char names[2][4]; }", { { "a", "b" } }).names), '{"a", "b"}')
    -- What is only pointed to may be gone, and has no length.
    t.contains(format.text(ffi.cast("int (*)[2]", ffi.new("int[2]"))), "cdata")
    t.contains(format.text(ffi.new("int[?]", 3)), "cdata")
end)

t.test("all else as in plain Lua", function()
    t.equal(("%s %d %q"):format("a", 1, "b"), 'a 1 "b"')
    t.contains(t.fails(string.format, "%d", "x"), "number expected")
    t.contains(t.fails(string.format), "string expected")
    t.contains(t.fails(string.format, "%d %d", 1), "bad argument #3")
    t.equal(string.format(5), "5")
    t.equal(("%d"):format(1, ffi.new("int[1]")), "1")
    t.equal(format.text(nil), "nil")
end)
