-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("print")
d.attached()
b:test_run({ fn_name = "speak", data_in = ("\0"):rep(64) })
d.same("the line made in memory", b.vars.line, "<-7|seven|00abc|1099511627776|!>")
d.same("its length", b.vars.line_length, 33LL)
local pid, wanted = d.C.getpid(), { "plain", "three -1 2 ff", "six 1 2 3 4 5 word", "sized 42 word", "few" }
for _, text in ipairs(wanted) do
    local message
    repeat
        local _, from, _, _, _, said = b:trace_fields()
        message = from == pid and said
    until message
    d.same("a line of the trace pipe", message, text)
end
d.checked("five lines of the trace pipe, one made in memory")
