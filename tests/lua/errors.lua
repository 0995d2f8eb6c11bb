-- SPDX-License-Identifier: Apache-2.0
-- Errors as values.

local t = require("harness")
local errors = require("bpflua.errors")

local SPEC = { event = "string", fn_name = "string!", pid = "number|cdata" }

t.test("an error of bpflua has fields", function()
    local ok, err = pcall(errors.options, "attach", { evnt = 1 }, SPEC)
    t.equal(ok, false)
    t.equal(errors.is_error(err), true)
    t.equal(err.what, "unknown option `evnt` of `attach`")
    t.equal(err.kind, "script")
    t.equal(err.hints[1], "did you mean `event`?")
    t.equal(err.errno, nil)
    t.equal(err.log, nil)
    t.contains(err, "errors.lua:")
end)

t.test("an error of the host keeps its errno", function()
    local ok, err = pcall(BPF, { object = "/dev/null" })
    t.equal(ok, false)
    t.equal(errors.is_error(err), true)
    ok, err = pcall(BPF, { object = "no/such.o" })
    t.contains(err, "cannot find the file `no/such.o`")
end)

t.test("types and needs of options", function()
    t.contains(t.fails(errors.options, "attach", { fn_name = 5 }, SPEC), "option `fn_name` of `attach` is a number: it must be a string")
    t.contains(t.fails(errors.options, "attach", {}, SPEC), "`attach` needs the option `fn_name`")
    t.contains(t.fails(errors.options, "attach", "x", SPEC), "it takes a table of options, not a string")
    t.contains(t.fails(errors.options, "attach", { fn_name = "f", pid = true }, SPEC), "it must be a number or cdata")
    t.equal(errors.options("attach", { fn_name = "f", pid = 5ULL }, SPEC).fn_name, "f")
end)

t.test("BPF and its options", function()
    t.contains(t.fails(function() return BPF.exti end), "did you mean `exit`?")
    t.contains(t.fails(BPF, { txt = "int x;" }), "did you mean `text`?")
    t.contains(t.fails(BPF, {}), "takes one of the options `text`, `src_file` and `object`: none is given")
    t.contains(t.fails(BPF, { text = "", src_file = "x.c" }), "`text` and `src_file` are given")
    t.contains(t.fails(BPF, { text = "", cflags = { 1 } }), "`cflags[1]` of `BPF` is a number")
    t.contains(t.fails(BPF.interval, 0, print), "above 0")
    t.contains(t.fails(BPF.interval, 1, 5), "must be a function")
end)
