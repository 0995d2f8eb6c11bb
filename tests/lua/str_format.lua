-- SPDX-License-Identifier: Apache-2.0
-- Python's `str.format` over fields, as Python itself writes them.

local t = require("harness")
local str_format = require("bpflua.str_format")

local NAMES = { task = 1, pid = 2, ts = 3, small = 4 }
local VALUES = { "bash", 1234567, 28551.8731, -5 }

local function filled(template)
    return str_format.format("trace_print", template, VALUES, NAMES)
end

-- Each as Python 3 prints it: "…".format("bash", 1234567, 28551.8731, -5).
local CASES = {
    ["{0} {1}"] = "bash 1234567",
    ["{}{}"] = "bash1234567",
    ["{{x}} {0}"] = "{x} bash",
    ["{{{0}}}"] = "{bash}",
    ["{0:>8}|{0:<8}|{0:^8}|{0:^7}|{0:8}|"] = "    bash|bash    |  bash  | bash  |bash    |",
    ["{0:*^10}"] = "***bash***",
    ["{0:.2}"] = "ba",
    ["{0:3}"] = "bash",
    ["{1:10}|{1:<10}|{1:^11}|"] = "   1234567|1234567   |  1234567  |",
    ["{1:,}"] = "1,234,567",
    ["{3:05d}|{3:+d}|{3: d}|{3:=6d}"] = "-0005|-5|-5|-    5",
    ["{1:+d}|{1: d}"] = "+1234567| 1234567",
    ["{1:x}|{1:#x}|{1:X}|{1:o}"] = "12d687|0x12d687|12D687|4553207",
    ["{2:.3f}|{2:12.1f}|{2:<12.1f}|"] = "28551.873|     28551.9|28551.9     |",
    ["{2:012.3f}"] = "00028551.873",
    ["{2:,.2f}"] = "28,551.87",
    ["{2:e}|{2:.2e}"] = "2.855187e+04|2.86e+04",
    ["{2:g}|{2:.3g}"] = "28551.9|2.86e+04",
    ["{3:%}"] = "-500.000000%",
    ["plain"] = "plain",
}

t.test("what Python writes", function()
    for template, wanted in pairs(CASES) do
        t.equal(template .. ": " .. filled(template), template .. ": " .. wanted)
    end
end)

t.test("by name", function()
    t.equal(filled("{task}|{pid:>9}|{ts:.1f}"), "bash|  1234567|28551.9")
end)

t.test("what is no field, and no format of one", function()
    t.contains(t.fails(filled, "{4}"), "`trace_print` has no field `{4}`")
    t.contains(t.fails(filled, "{tsak}"), "did you mean `task`?")
    t.contains(t.fails(filled, "{0:d}"), "`trace_print` does not understand `{0:d}`: a text takes a width: `{5:<20}`")
    t.contains(t.fails(filled, "{1:s}"), "`trace_print` does not understand `{1:s}`: a number takes a width, a precision and a kind")
    t.contains(t.fails(filled, "{1:>>5q}"), "does not understand")
    for _, wrong in ipairs({ "{0", "0}", "{", "}", "{{}", "{0{1}}" }) do
        t.contains(t.fails(filled, wrong), "a brace of its own is written twice")
    end
end)
