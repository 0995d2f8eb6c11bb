-- SPDX-License-Identifier: Apache-2.0
-- How values print at the prompt: text of fixed widths.

local t = require("harness")
local show_hist = require("bpflua.show_hist")
local text = require("bpflua.show_text")
local units = require("bpflua.show_units")

local function shows(value, options, wanted)
    t.equal(BPF.show(value, options), wanted)
end

t.test("single values", function()
    shows(nil, nil, "nil")
    shows(true, nil, "true")
    shows(1 / 3, nil, "0.33333333333333")
    shows(2 ^ 53, nil, "9007199254740992")
    shows(-0.5, nil, "-0.5")
    shows(18446744073709551615ULL, nil, "18446744073709551615")
    shows(print, nil, "function print")
    shows(BPF.sleep, { width = 60 }, "function BPF.sleep(seconds)\nWaits for so many seconds, or until Ctrl-C or `BPF.exit`. H…")
    shows(setmetatable({}, { __tostring = function() return "its own text" end }), nil, "its own text")
    shows(setmetatable({}, { __show = function(_, options) return { "lines", "of " .. options.width } end }), { width = 50 }, "lines\nof 50")
end)

t.test("nothing that a process writes reaches the terminal as a command", function()
    shows("a\27[2Jb\r\8\127", nil, [["a\e[2Jb\r\x08\x7f"]])
    shows("\255\254\0x", nil, [["\xff\xfe\x00x"]])
    shows("right\226\128\174to left", nil, [["right\xe2\x80\xaeto left"]])
    shows("tab\there \\ \"q\"", nil, [["tab\there \\ \"q\""]])
    shows({ comm = "\27]0;title\7" }, nil, [[{comm = "\e]0;title\x07"}]])
    shows("two\nlines \27[31m\n", nil, "two\nlines \\e[31m")
end)

t.test("text is as wide as the terminal shows it", function()
    t.equal(text.width("日本"), 4)
    t.equal(text.width("e\204\129"), 1)
    t.equal(text.cut("日本語のテキスト", 9), "日本語の…")
    t.equal(text.cut("日本語のテキスト", 8), "日本語…")
    t.equal(text.cut("short", 5), "short")
    shows({ { name = "日本", n = 1 }, { name = "abc", n = 22 } }, { width = 40 }, "name   n\n日本   1\nabc   22")
end)

t.test("numbers in the units that their names tell", function()
    local wanted = {
        { "delta_us", 1500, "1.5 ms" }, { "ns", 850, "850 ns" }, { "duration_ms", 200000, "3m 20s" }, { "wait_sec", 90061, "1d 01h" },
        { "bytes", 4096, "4 KiB" }, { "rx_bytes", 1.5 * 2 ^ 30, "1.5 GiB" }, { "bytes", 1023, "1023 B" }, { "ts_ns", 12345, "12345" },
        { "start_us", 12345, "12345" }, { "pid", 12345, "12345" }, { "us", 0, "0" }, { "us", -1500, "-1.5 ms" }, { "us", 999.6, "1 ms" },
    }
    for _, case in ipairs(wanted) do
        t.equal(units.text(case[2], units.of_name(case[1])), case[3])
    end
    t.equal(units.text(7, "pages"), "7 pages")
    t.equal(units.text(18446744073709551615ULL, "bytes"), "16 EiB")
end)

local function records()
    local list = {}
    for i = 1, 4 do
        list[i] = { pid = 100 * i, comm = ("proc-%d"):format(i):rep(i), delta_us = 10 ^ i, note = i == 2 and "a\27b" or nil, ok = i % 2 == 0, none = {} }
    end
    return list
end

t.test("lists of records stand under headings", function()
    local all = [[
pid  comm                      delta_us  note  ok
100  proc-1                       10 us        false
200  proc-2proc-2                100 us  a\eb  true
300  proc-3proc-3proc-3            1 ms        false
400  proc-4proc-4proc-4proc-4     10 ms        true]]
    shows(records(), { width = 80 }, all)
    shows(records(), { width = 200 }, all)
    shows(records(), { width = 40 }, [[
pid  comm          delta_us  note  ok
100  proc-1           10 us        false
200  proc-2proc-2    100 us  a\eb  true
300  proc-3proc-…      1 ms        false
400  proc-4proc-…     10 ms        true]])
    shows(records(), { width = 30 }, [[
pid  comm             delta_us
100  proc-1              10 us
200  proc-2proc-2       100 us
300  proc-3proc-3pr…      1 ms
400  proc-4proc-4pr…     10 ms
… no room for: note, ok]])
    shows(records(), { width = 80, rows = 1 }, "pid  comm    delta_us  ok\n100  proc-1     10 us  false\n… 3 more")
end)

t.test("lists of single values fill the lines", function()
    local list = {}
    for i = 1, 30 do
        list[i] = i * 1000
    end
    shows(list, { width = 40 }, [[
1000, 2000, 3000, 4000, 5000, 6000,
7000, 8000, 9000, 10000, 11000, 12000,
13000, 14000, 15000, 16000, 17000,
18000, 19000, 20000, 21000, 22000,
23000, 24000, 25000, 26000, 27000,
28000, 29000, 30000]])
    shows(list, { width = 40, rows = 2 }, [[
1000, 2000, 3000, 4000, 5000, 6000,
7000, 8000, 9000, 10000, 11000, 12000,
… 18 more]])
    t.equal(BPF.show(list, { width = 200 }):find("\n"), nil)
    shows({ 1, 2, 3 }, { width = 40 }, "{1, 2, 3}")
end)

t.test("tables by their members", function()
    local value = {
        alpha = 1, beta = "two", gamma = { 1, 2, 3 }, ["a b"] = true, [7] = "seven",
        delta = { name = ("x"):rep(50), inner = { a = ("y"):rep(30), b = ("z"):rep(30) } },
    }
    shows(value, { width = 40 }, [[
[7]     = "seven"
["a b"] = true
alpha   = 1
beta    = "two"
delta   =
  name  = "xxxxxxxxxxxxxxxxxxxxxxxxxxxx…
  inner =
    a = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
    b = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
gamma   = {1, 2, 3}]])
    value.delta = nil
    shows(value, { width = 80 }, [[{[7] = "seven", ["a b"] = true, alpha = 1, beta = "two", gamma = {1, 2, 3}}]])
    shows({}, nil, "{}")
    local itself = { n = 1 }
    itself.me = itself
    shows(itself, nil, "{me = {…}, n = 1}")
    local deep = {}
    for _ = 1, 30 do
        deep = { deep = deep, name = ("x"):rep(20) }
    end
    for line in BPF.show(deep, { width = 40 }):gmatch("[^\n]+") do
        t.equal(text.width(line) <= 40, true)
    end
end)

local function histogram(kind, slots, width, unit)
    return table.concat(show_hist.lines(kind, slots, { width = width, unit = unit }), "\n")
end

t.test("histograms are as wide as the terminal", function()
    local slots = { [0] = 2, [1] = 1, [3] = 40, [4] = 7, [6] = 1 }
    t.equal(histogram("log2", slots, 40, "us"), [[
[0, 2 us)       3 █▋
[2 us, 4 us)    0
[4 us, 8 us)   40 ██████████████████████
[8 us, 16 us)   7 ███▉
[16 us, 32 us)  0
[32 us, 64 us)  1 ▌
51 values: half < 8 us, 99 % < 64 us]])
    t.equal(histogram("log2", { [10] = 5, [12] = 9 }, 80, "bytes"), [[
[512 B, 1 KiB) 5 █████████████████████████████████▍
[1 KiB, 2 KiB) 0
[2 KiB, 4 KiB) 9 ████████████████████████████████████████████████████████████
14 values: half < 4 KiB, 99 % < 4 KiB]])
    t.equal(histogram("log2", { [10] = 5, [12] = 9 }, 200), [[
[512, 1K) 5 █████████████████████████████████▍
[1K, 2K)  0
[2K, 4K)  9 ████████████████████████████████████████████████████████████
14 values: half < 4K, 99 % < 4K]])
    t.equal(histogram("linear", { [0] = 5, [2] = 9 }, 40), [[
0 5 ████████████████████
1 0
2 9 ████████████████████████████████████
14 values: half ≤ 2, 99 % ≤ 2]])
    t.equal(histogram("log2", {}, 40), "no values yet")
    t.equal(histogram("log2", { [0] = 0 }, 40), "no values yet")
    t.contains(histogram("log2", { [64] = 1 }, 80), "[8E, 16E) 1 ")
end)

t.test("JSON in place of text", function()
    shows({ a = 1, list = { 1, 2 } }, { json = true }, '{"a":1,"list":[1,2]}')
    shows("a\27", { json = true }, '"a\\u001b"')
    shows({ fn = print }, { json = true }, '{"fn":"' .. tostring(print) .. '"}')
    shows(nil, { json = true }, "null")
end)

t.test("options are checked", function()
    t.contains(t.fails(BPF.show, 1, { widht = 3 }), "did you mean `width`?")
    t.contains(t.fails(BPF.show, 1, { histogram = "log3" }), 'it must be "log2" or "linear"')
    t.contains(t.fails(BPF.show, 1, { width = -1 }), "a whole number from 0")
end)
