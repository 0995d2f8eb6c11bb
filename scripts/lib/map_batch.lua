-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of maps that set or delete many elements at once. Where the kernel has no batches for a map, they go one by one.

local ffi = require("ffi")
local C = require("bpflua.cfunctions")
local cells = require("bpflua.map_cells")
local errors = require("bpflua.errors")

---@class bpflua.Map
local Map = {}

local function refuse(self, method, why)
    errors.fail({ what = ("cannot call `%s` on map `%s`"):format(method, self.name), why = why })
end

-- How many elements a list or a C array has.
local function length_of(self, method, name, list, size)
    if type(list) == "cdata" then
        local length = ffi.sizeof(list) / size
        if not pcall(ffi.string, list, 0) or length % 1 ~= 0 then
            refuse(self, method, ("`%s` is a %s, not an array of elements of %d bytes"):format(name, errors.type_name(list), size))
        end
        return length
    elseif type(list) ~= "table" then
        refuse(self, method, ("`%s` must be a list or a C array, not a %s"):format(name, errors.type_name(list)))
    end
    return #list
end

-- Stores the elements of a list, counted from 1, or of a C array, counted from 0.
local function each(list, length, store)
    local base = type(list) == "cdata" and 0 or 1
    for i = 0, length - 1 do
        store(i, list[i + base])
    end
end

local function key_array(self, keys, length, verb)
    local array = ffi.new(self.key_type.array, length)
    each(keys, length, function(i, key)
        cells.put_key(self, array, i, key, verb, ("%s[%d]"):format(self.key_label, i + 1))
    end)
    return array
end

local function value_array(self, values, length)
    local array = cells.value_buffer(self, length)
    local releases = {}
    each(values, length, function(i, value)
        releases[#releases + 1] = cells.store_value(self, array, i, value)
    end)
    return array, releases
end

local function cursor_of(self)
    return ffi.new("bpflua_cursor", { cells.open_fd(self), self.key_type.size, self.lookup_size, 0, nil })
end

---Sets many values: `b.counts:items_update_batch({1, 2}, {10, 20})`.
---@param keys any[]|ffi.cdata* a list, or a C array of keys
---@param values any[]|ffi.cdata* as many values
function Map:items_update_batch(keys, values)
    cells.needs_elements(self, "update")
    local length = length_of(self, "items_update_batch", "keys", keys, self.key_type.size)
    local value_count = length_of(self, "items_update_batch", "values", values, self.lookup_size)
    if length ~= value_count then
        refuse(self, "items_update_batch", ("there are %d keys and %d values"):format(length, value_count))
    elseif length > self.max_entries then
        refuse(self, "items_update_batch", ("%d elements are given, and it takes %d"):format(length, self.max_entries))
    elseif length == 0 then
        return
    end
    local key_buffer = key_array(self, keys, length, "update")
    local value_buffer, releases = value_array(self, values, length)
    local done = ffi.new("uint32_t[1]", length)
    local res = C.bpflua_map_update_batch(cursor_of(self), key_buffer, value_buffer, done, 0)
    for _, release in ipairs(releases) do
        release()
    end
    if res ~= 0 then
        local told = ("%d of %d elements were set"):format(done[0], length)
        cells.failed(self, "update", -res, nil, told)
    end
end

---Deletes many keys, or all. Keys that are not there do not matter.
---@param keys? any[]|ffi.cdata* a list, or a C array of keys
function Map:items_delete_batch(keys)
    cells.needs_elements(self, "delete keys of")
    if keys == nil then
        return self:clear()
    end
    local length = length_of(self, "items_delete_batch", "keys", keys, self.key_type.size)
    local res = length > 0 and C.bpflua_map_delete_batch(cursor_of(self), key_array(self, keys, length, "delete"), length) or 0
    if res ~= 0 then
        cells.failed(self, "delete keys of", -res)
    end
end

return Map
