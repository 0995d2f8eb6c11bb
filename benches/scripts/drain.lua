-- SPDX-License-Identifier: Apache-2.0
-- drain.lua perf|ring sum|text PROGRAM EVENTS: takes the events of fire() in PROGRAM; says `round SUM` after so many of them.
local kind, how, program, wanted = arg[1], arg[2], arg[3], tonumber(arg[4])

local b = BPF{ src_file = "../texts/" .. kind .. ".c" }
b:attach_uprobe{ name = program, sym = "fire", fn_name = "fired" }

local null = io.open("/dev/null", "w")
local sum, seen, by_pid = 0, 0, {}

local function count(e)
    sum = sum + tonumber(e.val)
    local pid = e.pid
    by_pid[pid] = (by_pid[pid] or 0) + 1
    seen = seen + 1
    if seen == wanted then
        io.stdout:write(("round %d\n"):format(sum))
        io.stdout:flush()
        sum, seen = 0, 0
    end
end

local function count_and_write(e)
    BPF.fprintf(null, "%-8d %-16s %d\n", e.pid, e.comm, e.ts)
    count(e)
end

local take = how == "text" and count_and_write or count
if kind == "perf" then
    b.events:open_perf_buffer(function(_, e) take(e) end, { page_cnt = 512 })
else
    b.events:open_ring_buffer(function(_, e) take(e) end)
end
print("ready")
io.flush()
b:run()
