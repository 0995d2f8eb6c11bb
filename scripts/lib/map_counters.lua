-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of maps that count: perf events by CPU, and bcc's sums over the values of a per-CPU map.

local errors = require("bpflua.errors")
local native = require("bpflua.native")

---@class bpflua.Map
local Map = {}

-- A map's own fields: `pairs` gives its elements.
local function pairs_of(map)
    return next, map, nil
end

---Opens a perf event on every online CPU, for the C text's `perf_read` and `perf_counter_value`. The counters run until
---the BPF object is closed.
---`b.cycles:open_perf_event(PerfType.HARDWARE, PerfHWConfig.CPU_CYCLES)`, or by the kernel's numbers: 1, 2 are the page faults
---@param type integer PERF_TYPE_*: 0 hardware, 1 software, 2 tracepoint, 3 cache, 4 raw
---@param config integer|ffi.cdata* which event of that type
---@param pid? integer only in this process (default: in all)
---@return bpflua.Map self
function Map:open_perf_event(type, config, pid)
    if self.kind ~= "perf_event_array" then
        errors.fail({
            what = ("cannot call `open_perf_event` on map `%s`"):format(self.name),
            why = ("it is of type %s, not perf_event_array"):format(self.kind),
        })
    end
    errors.arguments("open_perf_event", { "type", "u32!", "config", "natural|cdata!", "pid", "i32" }, type, config, pid)
    native.maps.open_counters(self.bpf:_object(), {
        map = self.name,
        type = type,
        config = errors.number("open_perf_event", "config", config, "natural"),
        pid = pid,
    })
    return self
end

local function per_cpu_value(self, method, key)
    if not self.per_cpu then
        errors.fail({
            what = ("cannot call `%s` on map `%s`"):format(method, self.name),
            why = ("it is of type %s, which has one value for all CPUs"):format(self.kind),
        })
    end
    return (self.whole or self):get(key)
end

---The same map with one value for all CPUs: each one that is read is made of the CPUs' values by a function of two.
---@param reducer fun(made: any, value: any): any
---@return bpflua.Map
function Map:_reduced(reducer)
    if not self.per_cpu then
        errors.fail({
            what = ("cannot reduce the values of map `%s`"):format(self.name),
            why = ("it is of type %s, which has one value for all CPUs"):format(self.kind),
        })
    end
    local view = {}
    for name, value in pairs_of(self) do
        view[name] = value
    end
    view.whole, view.reducer = self, reducer
    return setmetatable(view, getmetatable(self))
end

---The values of a key by CPU; the same as `get`, unless the map was asked for with a reducer.
---@param key any as of `get`
---@return bpflua.PerCpu? nil when the key is not there
function Map:getvalue(key)
    return per_cpu_value(self, "getvalue", key)
end

---The sum of a key's values over all CPUs.
---@param key any as of `get`
---@return number|ffi.cdata*|nil
function Map:sum(key)
    local value = per_cpu_value(self, "sum", key)
    return value and value:sum()
end

---The greatest of a key's values.
---@param key any as of `get`
---@return number|ffi.cdata*|nil
function Map:max(key)
    local value = per_cpu_value(self, "max", key)
    return value and value:max()
end

---The mean of a key's values.
---@param key any as of `get`
---@return number?
function Map:average(key)
    local value = per_cpu_value(self, "average", key)
    return value and value:average()
end

return Map
