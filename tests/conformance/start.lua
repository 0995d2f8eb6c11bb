-- SPDX-License-Identifier: Apache-2.0
-- `start.lua OBJECT OPERATIONS PID [SECONDS]`: a tool of bcc's as a script. It attaches what the tool attaches, prints the
-- events that come and, at its end, how much is in each map. It ends after some seconds, or by a signal.

local object, operations, pid, seconds = arg[1], dofile(arg[2]), tonumber(arg[3]), tonumber(arg[4])

local b = BPF({ object = object })

local function of_kernel(method)
    return function(one)
        b[method](b, { event = one.event, event_re = one.event_re, event_off = one.offset ~= 0 and one.offset or nil, fn_name = one.fn_name })
    end
end

local function of_program(method)
    return function(one)
        b[method](b, { name = one.name, sym = not one.addr and one.sym or nil, addr = one.addr, sym_off = one.offset,
            pid = one.pid and pid or nil, fn_name = one.fn_name })
    end
end

local ATTACH = {
    kprobe = of_kernel("attach_kprobe"),
    kretprobe = of_kernel("attach_kretprobe"),
    uprobe = of_program("attach_uprobe"),
    uretprobe = of_program("attach_uretprobe"),
    tracepoint = function(one) b:attach_tracepoint({ tp = one.tp, fn_name = one.fn_name }) end,
    raw_tracepoint = function(one) b:attach_raw_tracepoint({ tp = one.tp, fn_name = one.fn_name }) end,
    usdt = function(one)
        b:attach_usdt({ path = one.path, pid = one.pid and pid or nil, probe = one.probe, fn_name = one.fn_name })
    end,
    perf_event = function(one)
        b:attach_perf_event({ ev_type = one.ev_type, ev_config = one.ev_config, sample_period = one.sample_period,
            sample_freq = one.sample_freq, fn_name = one.fn_name })
    end,
}
for _, one in ipairs(operations) do
    ATTACH[one.kind](one)
end

-- The first of each buffer are printed whole.
local MOST = 3
local maps = rawget(b, "_maps")
for name, map in pairs(maps) do
    local seen = 0
    local function show(_, event)
        seen = seen + 1
        if seen <= MOST then
            print(name, tostring(event))
        end
    end
    if map.kind == "perf_event_array" and map.event_type then
        map:open_perf_buffer(show)
    elseif map.kind == "ringbuf" then
        map:open_ring_buffer(show)
    end
end
print(("attached %d probes"):format(#b:probes()))
io.flush()
local why = BPF.run({ duration = seconds })
for name, map in pairs(maps) do
    if map.key_type and map.value_type and map.kind ~= "perf_event_array" and map.kind ~= "prog_array" and map.kind ~= "cgroup_array" then
        print(("%s: %d elements"):format(name, #map))
    end
end
print("ended by " .. why)
