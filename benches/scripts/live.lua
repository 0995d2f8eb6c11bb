-- SPDX-License-Identifier: Apache-2.0
-- live.lua perf|ring: counts events until Ctrl-C, then says how many came, were lost and were submitted.
local kind = arg[1]
local b = BPF{ src_file = "../texts/live_" .. kind .. ".c" }
local delivered, lost, sum = 0, 0, 0
local function take(e)
    delivered = delivered + 1
    sum = sum + tonumber(e.val)
end
local options = { lost_cb = function(count) lost = lost + count end }
if kind == "perf" then
    options.page_cnt = 4096
    b.events:open_perf_buffer(function(_, e) take(e) end, options)
else
    b.events:open_ring_buffer(function(_, e) take(e) end, options)
end
print("ready")
io.flush()
b:run()
print(("told %d %d %d"):format(delivered, lost, tonumber(b.hits[0])))
