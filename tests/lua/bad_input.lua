-- SPDX-License-Identifier: Apache-2.0
-- Wrong arguments of every public function that needs no BPF object.

local t = require("harness")
local calls = require("shared.bad_calls")
local utils = require("bpflua.utils")

local STATIC = { attach_raw_socket = true, attach_xdp = true, remove_xdp = true, attach_func = true, detach_func = true, new = true,
    cleanup = true }

t.test("functions of BPF", function()
    local report = calls.report()
    report:class("bpflua.Class", {
        static = STATIC,
        skip = { filter_by_containers = "it takes the whole of a script's arguments" },
    })
    report:finish(800)
    t.contains(t.fails(BPF.filter_by_containers, { cgroupmap = 5 }), "option `cgroupmap` of `filter_by_containers`")
    t.contains(t.fails(BPF.filter_by_containers, "x"), "argument `args` of `filter_by_containers`")
end)

t.test("json, posix, USDT, columns, symbols", function()
    local report = calls.report()
    report:class("bpflua.json", { skip = { encode = "it takes anything but functions" } })
    report:class("bpflua.posix")
    report:class("bpflua.USDTClass", { static = STATIC })
    report:class("bpflua.Columns", { receiver = BPF.columns({ "PID" }) })
    report:class("bpflua.SymbolCache", { receiver = BPF.SymbolCache() })
    report:finish(150)
end)

t.test("bcc's modules, the trace pipe", function()
    local report = calls.report()
    require("bcc.utils")
    report:class("bpflua.bcc_utils")
    report:class("bpflua.StrcmpRewrite")
    require("bcc.exec")
    report:class("bpflua.commands")
    report:class("bpflua.Pipe", { receiver = require("bpflua.trace").pipe() })
    report:finish(60)
end)

t.test("parsers of arguments", function()
    local report = calls.report()
    report:class("bpflua.argparse.Parser", { receiver = utils.argparse("x") })
    report:finish(40)
end)

t.test("no public function is left out", function()
    calls.nothing_left_out("bad_input")
end)
