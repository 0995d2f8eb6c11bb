-- SPDX-License-Identifier: Apache-2.0
-- A program of thousands of instructions whose last lookup is not tested: the reason is found at the end of a log that
-- is hundreds of kilobytes long, whatever `debug` says.

local t = require("harness")

local REASON = "R0 invalid mem access 'map_value_or_null'"
local LOOKUPS = 300

local lines = { "BPF_HASH(numbers, int, int, 10);", "int chain(struct __sk_buff *skb) {", "int at = 0, *next;" }
for _ = 1, LOOKUPS do
    lines[#lines + 1] = "next = numbers.lookup(&at); if (!next) return 0; at = *next;"
end
lines[#lines + 1] = "next = numbers.lookup(&at);"
lines[#lines + 1] = "return *next; }"
local TEXT = table.concat(lines, "\n")

-- What `load_func` raises, and what went to standard error before.
local function refused(debug)
    local pieces, real = {}, io.stderr
    io.stderr = { write = function(_, ...) pieces[#pieces + 1] = table.concat({ ... }) end }
    local b = BPF({ text = TEXT, debug = debug })
    local ok, err = pcall(b.load_func, b, "chain", BPF.SCHED_CLS)
    io.stderr = real
    t.equal(ok, false)
    b:cleanup()
    return err, table.concat(pieces)
end

local function check(err)
    t.contains(err, "the kernel rejected program `chain` (sched_cls, ")
    t.contains(err, "verifier: " .. REASON)
    t.contains(err, "return *next; }")
    t.contains(err, "test `next` before line")
    t.equal(err.errno, 13)
    -- The whole log is there: its first instruction, and its last line but one.
    t.contains(err.log, "R10=fp0")
    t.contains(err.log:sub(-2000), REASON)
    t.equal(select(2, err.log:gsub("call bpf_map_lookup_elem#1", "")) >= LOOKUPS, true)
end

t.test("without debug", function()
    local err, told = refused(0)
    check(err)
    t.equal(told, "")
end)

t.test("with debug", function()
    local err, told = refused(2)
    check(err)
    t.contains(told, "Disassemble of BPF program chain:")
    t.equal(select(2, told:gsub("call bpf_map_lookup_elem#1", "")), LOOKUPS + 1)
end)
