-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Keys and values of a map on their way into the kernel and out of it, and the errors of that way.

local ffi = require("ffi")
local contract = require("bpflua.contract")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local handles = require("bpflua.map_handles")
local native = require("bpflua.native")
local percpu = require("bpflua.percpu")

local M = {}

local ENOMEM, EEXIST, EINVAL, ENOSPC, E2BIG, EBUSY, EOPNOTSUPP, ENOTSUPP = 12, 17, 22, 28, 7, 16, 95, 524

-- Maps whose keys are indices below `max_entries`: "full" would be the wrong word.
local INDEXED = {
    array = true,
    percpu_array = true,
    prog_array = true,
    perf_event_array = true,
    cgroup_array = true,
    array_of_maps = true,
    devmap = true,
    cpumap = true,
    xskmap = true,
    sockmap = true,
}

---The map's descriptor; raises when the map is gone.
---@param self bpflua.Map
---@return integer
function M.open_fd(self)
    if self.fd < 0 then
        errors.fail({ what = ("cannot use map `%s`"):format(self.name), why = "its BPF object was closed" })
    end
    return self.fd
end

local function reason(self, errno, value)
    if errno == E2BIG and INDEXED[self.kind] then
        return ("it has %d elements, counted from 0"):format(self.max_entries)
    elseif errno == E2BIG or errno == ENOSPC then
        return ("it is full (%d elements)"):format(self.max_entries)
    elseif errno == ENOMEM then
        return "the kernel has no memory for another element"
    elseif errno == EBUSY then
        return "another CPU was changing the same part of it"
    elseif errno == ENOTSUPP or errno == EOPNOTSUPP then
        return ("a map of type %s does not do that"):format(self.kind)
    elseif errno == EEXIST then
        return "there is such an element already"
    end
    return value ~= nil and handles.misfit(self, errno, value) or native.kernel.errno_words(errno)
end

---Raises the error for a system call that failed.
---@param self bpflua.Map
---@param verb string "update", "look up a key of" …
---@param errno integer positive
---@param value? any what was to be set
---@param evidence? string
function M.failed(self, verb, errno, value, evidence)
    errors.fail({
        what = ("cannot %s map `%s`"):format(verb, self.name),
        why = reason(self, errno, value),
        kind = (errno == EINVAL or errno == ENOTSUPP or errno == EOPNOTSUPP) and "script" or "machine",
        errno = errno,
        evidence = evidence and { evidence },
    })
end

---Raises unless the map has keys and values.
---@param self bpflua.Map
---@param verb string
function M.needs_elements(self, verb)
    if not self.key_type or not self.value_type then
        local why = ("a map of type %s has no elements to read"):format(self.kind)
        if self.is_queue then
            why = ("a %s has no keys; it has `push`, `pop` and `peek`"):format(self.kind)
        end
        errors.fail({ what = ("cannot %s map `%s`"):format(verb, self.name), why = why })
    end
end

---Writes a key into an array of keys. An array map counts from the end when the index is negative, as in bcc.
---@param self bpflua.Map
---@param array ffi.cdata*
---@param at integer
---@param key any
---@param verb string
---@param label string the place, for the error
function M.put_key(self, array, at, key, verb, label)
    if self.is_array and type(key) == "number" then
        local index = key < 0 and self.max_entries + key or key
        if index < 0 or index >= self.max_entries then
            errors.fail({
                what = ("cannot %s index %s of map `%s`"):format(verb, format.text(key), self.name),
                why = ("it has %d elements, counted from 0"):format(self.max_entries),
            })
        end
        key = index
    elseif contract.active then
        key = contract.value_of(self.key_type, key)
    end
    self.key_type:store(array, at, key, label)
end

---Writes a key into the map's key cell.
---@param self bpflua.Map
---@param key any
---@param verb string
function M.store_key(self, key, verb)
    M.needs_elements(self, verb)
    if key == nil then
        errors.fail({ what = ("cannot %s map `%s`"):format(verb, self.name), why = "the key is nil" })
    end
    M.put_key(self, self.key_cell, 0, key, verb, self.key_label)
end

---Writes a value into a buffer of values.
---@param self bpflua.Map
---@param buffer ffi.cdata* of `value_buffer`
---@param index integer
---@param value any
---@return function? release to be called once the kernel has the value
function M.store_value(self, buffer, index, value)
    if value == nil then
        errors.fail({ what = ("cannot update map `%s`"):format(self.name), why = "the value is nil" })
    end
    if self.per_cpu then
        percpu.store(self, ffi.cast("uint8_t *", buffer) + index * self.lookup_size, value)
        return nil
    end
    if contract.active then
        value = contract.value_of(self.value_type, value)
    end
    local number, release = handles.number_of(self, value)
    self.value_type:store(buffer, index, number, self.value_label)
    return release
end

---Reads a value out of a buffer of values.
---@param self bpflua.Map
---@param buffer ffi.cdata*
---@param index integer
---@return any
function M.load_value(self, buffer, index)
    if self.per_cpu then
        local values = percpu.load(self, ffi.cast("const uint8_t *", buffer) + index * self.lookup_size)
        if self.reducer then
            return values:reduce(self.reducer)
        end
        return values
    end
    return self.value_type:load(buffer, index)
end

---Room for values as the kernel copies them: in a per-CPU map, one for each CPU.
---@param self bpflua.Map
---@param length integer
---@return ffi.cdata*
function M.value_buffer(self, length)
    if self.per_cpu then
        return ffi.new("uint8_t[?]", length * self.lookup_size)
    end
    return ffi.new(self.value_type.array, length)
end

return M
