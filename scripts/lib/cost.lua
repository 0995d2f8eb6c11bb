-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What probes cost, by the kernel's own statistics.

local errors = require("bpflua.errors")
local events = require("bpflua.events")
local native = require("bpflua.native")
local posix = require("bpflua.posix")

local M = {}

---@class bpflua.Cost what one program costs: probes that share a program are counted together
---@field probes integer[] the `id`s of its probes, as `b:probes()` has them
---@field kind string of the first of them
---@field targets string[] what they probe
---@field fn_name string
---@field mechanism string
---@field program integer the kernel's number for the program
---@field runs number in the time that was measured
---@field time_ns number nanoseconds of these
---@field ns_per_run? number nil when it did not run
---@field cpu number the share of one processor's time: 0.01 is one hundredth
---@field missed number runs that the kernel left out since it was attached
---@field lost number updates and events that its maps lost; a map that several programs use counts for each
---@field maps string[] the maps that it uses

-- Events that the buffers of a map lost, beside what the C text counts.
local function lost_events(object, name)
    local lost = 0
    for _, source in ipairs(object._sources) do
        if source.name == name then
            lost = lost + source:lost()
        end
    end
    return lost
end

local function add_losses(object, costs)
    local losses = native.maps.losses(object:_object())
    for _, cost in ipairs(costs) do
        cost.lost = 0
        for _, name in ipairs(cost.maps) do
            local map = object._maps[name]
            -- A ring buffer that is open has its count from the same place.
            local counted = losses[name] and not (map and map.kind == "ringbuf" and map.is_open) and losses[name].count or 0
            cost.lost = cost.lost + counted + lost_events(object, name)
        end
    end
end

-- The counts of a measurement are those at its end less those at its start; a program that came meanwhile began at 0.
local function subtract(costs, before, elapsed_ns)
    local earlier = {}
    for _, cost in ipairs(before) do
        earlier[cost.program] = cost
    end
    for _, cost in ipairs(costs) do
        local first = earlier[cost.program] or { runs = 0, time_ns = 0 }
        cost.runs, cost.time_ns = cost.runs - first.runs, cost.time_ns - first.time_ns
        cost.ns_per_run = cost.runs > 0 and cost.time_ns / cost.runs or nil
        cost.cpu = cost.time_ns / elapsed_ns
    end
end

---Has the kernel count for a while, and gives what objects' probes cost in it.
---@param objects bpflua.BPF[]
---@param seconds number
---@param wait fun(seconds: number)
---@return bpflua.Cost[]
function M.measure(objects, seconds, wait)
    local counting = native.system.count_runs()
    local started, before = posix.time_ns(posix.CLOCK.MONOTONIC), {}
    for i, object in ipairs(objects) do
        before[i] = native.system.costs(object:_object())
    end
    local ok, failure = pcall(wait, seconds)
    local all, elapsed_ns = {}, posix.time_ns(posix.CLOCK.MONOTONIC) - started
    for i, object in ipairs(objects) do
        local costs = native.system.costs(object:_object())
        subtract(costs, before[i], elapsed_ns)
        add_losses(object, costs)
        for _, cost in ipairs(costs) do
            all[#all + 1] = cost
        end
    end
    native.system.stop_counting(counting)
    if not ok then
        error(failure, 0)
    end
    return all
end

local Methods = {}
M.methods = Methods

---What the attached probes cost: the kernel counts the runs of their programs for so many seconds, in which handlers and
---timers run. The counting itself costs each run of any program some 20 ns.
---@param seconds? number (default 1)
---@return bpflua.Cost[]
function Methods:cost(seconds)
    errors.arguments("cost", { "seconds", "seconds" }, seconds)
    return M.measure({ self }, seconds or 1, events.run)
end

---Detaches one probe, whatever its kind.
---@param probe bpflua.Probe|integer of `b:probes()`, or its `id`
---@return bpflua.BPF self
function Methods:detach(probe)
    errors.arguments("detach", { "probe", "table|natural!" }, probe)
    local id = probe
    if type(probe) == "table" then
        id = probe.id
        if type(id) ~= "number" then
            errors.fail({ what = "argument `probe` of `detach` is a table", why = "it is no probe of `b:probes()`" })
        end
    end
    native.attach.detach(self:_object(), id)
    return self
end

return M
