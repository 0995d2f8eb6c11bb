-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Run by `bpflua pack test`.

local test = require("bpflua.pack_test")

test("a program that starts is shown", function()
    local row = test.row({
        tool = "NAME",
        work = function()
            os.execute("true; /bin/true")
        end,
        where = function(row)
            return row.comm == "true"
        end,
    })
    assert(row.pid > 0)
end)

test("a process that is none is told", function()
    local ended = test.run({ tool = "NAME", args = { "--pid", "none" } })
    assert(ended.status == 2, ended.stderr)
end)
