-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local SOFTWARE, CPU_CLOCK = 1, 0
local b = d.open("perf_event", { constants = { targ_tgid = d.C.getpid() } })
b:attach_perf_event({ ev_type = SOFTWARE, ev_config = CPU_CLOCK, fn_name = "do_sample", sample_period = 2000000 })
d.attached()
local sum = 0
d.until_seen("samples in user space", function()
    for i = 1, 5e6 do
        sum = sum + i % 3
    end
end, function() return b.vars.in_user > 3 end)
d.same("the period", b.vars.period, 2000000ULL)
assert(b.vars.samples >= b.vars.in_user)
d.checked("samples of this process, their period, their place")
