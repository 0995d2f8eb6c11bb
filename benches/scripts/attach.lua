-- SPDX-License-Identifier: Apache-2.0
-- attach.lua FILE: attaches to all functions that the file lists, in one pattern, and detaches; milliseconds of each.
local names = {}
for name in io.lines(arg[1]) do
    names[#names + 1] = name
end
local b = BPF{ text = "int hit(struct pt_regs *ctx) { return 0; }" }
local function timed(name, work)
    local start = BPF.monotonic_time()
    work()
    print(("%s %.3f"):format(name, tonumber(BPF.monotonic_time() - start) / 1e6))
end
timed("attach", function() b:attach_kprobe{ event_re = table.concat(names, "|"), fn_name = "hit" } end)
local probe = b:probes()[1]
print("ready", probe.mechanism, probe.places)
timed("detach", function() b:cleanup() end)
