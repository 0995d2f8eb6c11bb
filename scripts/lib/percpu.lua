-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The value of a per-CPU map: one value for each possible CPU.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")

---@class bpflua.PerCpu values by CPU number, from 0 to `cpus - 1`
---@field cpus integer
local PerCpu = {}
PerCpu.__index = PerCpu

local M = {}

-- Made with room for its elements: a table that grows is made anew each time.
local table_of = require("table.new")
local byte_pointer = ffi.typeof("const uint8_t *")

local function number_of(self, value)
    if type(value) ~= "number" and not (type(value) == "cdata" and tonumber(value)) then
        errors.fail({ what = "cannot call `sum`, `max` or `average`", why = ("the values are of type %s"):format(self.type.name) })
    end
    return value
end

---The sum over all CPUs; 64-bit values are summed exactly.
---@return number|ffi.cdata*
function PerCpu:sum()
    local sum = number_of(self, self[0])
    for cpu = 1, self.cpus - 1 do
        sum = sum + self[cpu]
    end
    return sum
end

---The greatest value.
---@return number|ffi.cdata*
function PerCpu:max()
    local most = number_of(self, self[0])
    for cpu = 1, self.cpus - 1 do
        if self[cpu] > most then
            most = self[cpu]
        end
    end
    return most
end

---The mean over all CPUs.
---@return number
function PerCpu:average()
    return tonumber(self:sum()) / self.cpus
end

---One value made of all CPUs' by a function of two: of the first and the second CPU's, of what it gave and the third's …
---@param fn fun(made: any, value: any): any
---@return any
function PerCpu:reduce(fn)
    errors.arguments("reduce", { "fn", "function!" }, fn)
    local made = self[0]
    for cpu = 1, self.cpus - 1 do
        made = fn(made, self[cpu])
    end
    return made
end

function PerCpu:__len()
    return self.cpus
end

function PerCpu:__tostring()
    local pieces = {}
    for cpu = 0, self.cpus - 1 do
        pieces[cpu + 1] = format.text(self[cpu])
    end
    return "{" .. table.concat(pieces, ", ") .. "}"
end

require("bpflua.surface").add_methods("bpflua.PerCpu", PerCpu, {
    noun = "value by CPU",
    is = function(value)
        return getmetatable(value) == PerCpu
    end,
})

local function stride(map)
    return math.ceil(map.value_type.size / 8) * 8
end

-- A pointer to one CPU's value.
local function place(map, base, cpu)
    return ffi.cast(ffi.typeof("$ *", map.value_type.ctype), ffi.cast("uint8_t *", base) + cpu * stride(map))
end

---Reads all CPUs' values.
---@param map bpflua.Map
---@param base ffi.cdata*
---@return bpflua.PerCpu
function M.load(map, base)
    local step, value_type = stride(map), map.value_type
    local cpus = map.lookup_size / step
    local self = table_of(cpus, 2)
    self.cpus, self.type = cpus, value_type
    base = ffi.cast(byte_pointer, base)
    for cpu = 0, cpus - 1 do
        self[cpu] = value_type:load(ffi.cast(value_type.pointer, base + cpu * step), 0)
    end
    return setmetatable(self, PerCpu)
end

local function check_cpus(map, values, cpus)
    for cpu in pairs(values) do
        if type(cpu) == "number" and not (cpu >= 0 and cpu < cpus and cpu % 1 == 0) or type(cpu) ~= "number" and getmetatable(values) ~= PerCpu then
            errors.fail({
                what = ("cannot set CPU `%s` of a %s"):format(tostring(cpu), map.value_label),
                why = ("there are %d CPUs, counted from 0"):format(cpus),
            })
        end
    end
end

---Writes one value for all CPUs, or those of a table by CPU (others: zero).
---@param map bpflua.Map
---@param cell ffi.cdata*
---@param value any
function M.store(map, cell, value)
    local cpus = map.lookup_size / stride(map)
    local by_cpu = getmetatable(value) == PerCpu or type(value) == "table" and value[0] ~= nil
    if by_cpu then
        check_cpus(map, value, cpus)
    end
    ffi.fill(cell, map.lookup_size)
    for cpu = 0, cpus - 1 do
        local one = value
        if by_cpu then
            one = value[cpu]
        end
        if one ~= nil then
            map.value_type:store(place(map, cell, cpu), 0, one, ("%s[%d]"):format(map.value_label, cpu))
        end
    end
end

return M
