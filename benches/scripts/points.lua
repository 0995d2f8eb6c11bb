-- SPDX-License-Identifier: Apache-2.0
-- points.lua PROGRAM COUNT: milliseconds of attaching to so many functions of benches/peers/points.c by one pattern, and of detaching.
local program, count = arg[1], tonumber(arg[2])
local patterns = { "point_000", "point_00.", "point_0..", "point_..." }
local b = BPF{ text = "int hit(struct pt_regs *ctx) { return 0; }" }
local function timed(name, work)
    local start = BPF.monotonic_time()
    work()
    print(("%s %.3f"):format(name, tonumber(BPF.monotonic_time() - start) / 1e6))
end
timed("attach", function()
    b:attach_uprobe{ name = program, sym_re = patterns[math.floor(math.log10(count) + 1.5)] .. "$", fn_name = "hit" }
end)
assert(BPF.num_open_uprobes() == count, BPF.num_open_uprobes())
timed("detach", function() b:cleanup() end)
