-- SPDX-License-Identifier: Apache-2.0
-- `BPF.printf` and `BPF.fprintf`: the text, values of the kernel's, and what is wrong.

local t = require("harness")
local ffi = require("ffi")

-- What is written by a function that is given a file.
local function written(body)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    body(file)
    file:close()
    local text = assert(io.open(path)):read("*a")
    os.remove(path)
    return text
end

local function text_of(...)
    local arguments, count = { ... }, select("#", ...)
    return written(function(file) BPF.fprintf(file, unpack(arguments, 1, count)) end)
end

t.test("the text of string.format", function()
    local event = ffi.new("struct { char comm[16]; uint64_t n; int64_t m; uint32_t pid; }", { "bash", -1, -5, 7 })
    t.equal(text_of("%-6s|%u|%d|%5d|%x\n", event.comm, event.n, event.m, event.pid, event.n), "bash  |18446744073709551615|-5|    7|ffffffffffffffff\n")
    t.equal(text_of("%s %s %q %.2f %%\n", "a", nil, "b", 1.5), 'a nil "b" 1.50 %\n')
    t.equal(text_of("%p\n", event.n), "ffffffffffffffff\n")
    t.equal(text_of("%d\n", "12"), "12\n")
    t.equal(text_of("plain\n"), "plain\n")
    t.equal(text_of("%d\n", 1, 2), "1\n")
    t.equal(text_of(""), "")
end)

t.test("many lines, each its own", function()
    local text = written(function(file)
        for i = 1, 5000 do
            BPF.fprintf(file, "%d %s\n", ffi.cast("uint64_t", i), i % 2 == 0 and "even" or "odd")
        end
    end)
    local n = 0
    for number, word in text:gmatch("(%d+) (%a+)\n") do
        n = n + 1
        t.equal(tonumber(number), n)
        t.equal(word, n % 2 == 0 and "even" or "odd")
    end
    t.equal(n, 5000)
end)

t.test("what does not fit", function()
    local function fails(...) return t.fails(BPF.printf, ...) end
    t.contains(fails("%d\n", "x"), [[cannot print "%d\n": argument 1: number expected, got string]])
    t.contains(fails("%s %d", 1, {}), "argument 2: number expected, got table")
    t.contains(fails("%d", ffi.new("int[2]")), "argument 1: number expected, got int [2]")
    t.contains(fails("%d %d\n", 1), "argument 2: value expected")
    t.contains(fails("%y", 1), "invalid option '%y'")
    t.contains(fails(), "`printf` needs the argument `fmt`")
    t.contains(fails(5), "argument `fmt` of `printf` is a number")
    t.contains(t.fails(BPF.fprintf, "x", "y"), "argument `file` of `fprintf` is a string")
    t.contains(t.fails(BPF.fprintf), "`fprintf` needs the argument `file`")
end)

t.test("files that take nothing", function()
    local file = assert(io.open("/dev/full", "w"))
    file:setvbuf("no")
    t.contains(t.fails(BPF.fprintf, file, "x\n"), "cannot write to the file: no space left on device (ENOSPC)")
    file:close()
    t.contains(t.fails(BPF.fprintf, file, "x\n"), "argument `file` of `fprintf` is closed")
end)
