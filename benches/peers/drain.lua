-- SPDX-License-Identifier: Apache-2.0
-- drain.lua perf sum|text PROGRAM EVENTS: as drain.c, with bcc-lua.
local ffi = require("ffi")

return function(BPF)
    local how, program, wanted = arg[2], arg[3], tonumber(arg[4])
    local file = assert(io.open(os.getenv("TEXT")))
    local text = file:read("*a")
    file:close()
    local b = BPF:new({ text = text })
    b:attach_uprobe({ name = program, sym = "fire", fn_name = "fired" })
    local null = io.open("/dev/null", "w")
    local sum, seen, by_pid = 0, 0, {}
    local function take(cpu, e)
        sum = sum + tonumber(e.val)
        local pid = e.pid
        by_pid[pid] = (by_pid[pid] or 0) + 1
        if how == "text" then
            null:write(("%-8d %-16s %d\n"):format(pid, ffi.string(e.comm), tonumber(e.ts)))
        end
        seen = seen + 1
        if seen == wanted then
            io.write(("round %d\n"):format(sum))
            io.flush()
            sum, seen = 0, 0
        end
    end
    b:get_table("events"):open_perf_buffer(take, "struct { uint32_t pid, tid; uint64_t ts, val; char comm[16]; }", nil, 512)
    io.write("ready\n")
    io.flush()
    while true do
        b:perf_buffer_poll()
    end
end
