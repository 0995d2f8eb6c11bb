-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A map of a BPF object, as a script sees it: elements, iteration, histograms, event buffers.

local ffi = require("ffi")
local C = require("bpflua.cfunctions")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local hist = require("bpflua.hist")
local native = require("bpflua.native")
local percpu = require("bpflua.percpu")
local types = require("bpflua.types")

---@class bpflua.Map
---@field name string as in the C text
---@field fd integer the map's descriptor; -1 once its BPF object is closed
---@field kind string the kernel's name of the map's type: hash, array, perf_event_array …
---@field max_entries integer
---@field key_type? bpflua.Type
---@field value_type? bpflua.Type
---@field event_type? bpflua.Type what the C text submits through this map
local Map = {}

local M = { Map = Map }

-- Types of maps that system calls read nothing out of.
local NO_ELEMENTS = { perf_event_array = true, ringbuf = true, user_ringbuf = true, arena = true }

local ENOENT, ENOSPC, E2BIG, EEXIST = 2, 28, 7, 17
local BPF_ANY, BPF_NOEXIST, BPF_EXIST = 0, 1, 2
-- A walk reads this many bytes at a time: big enough that system calls do not count, small enough for a cache.
local CHUNK_BYTES, CHUNK_MAX, CHUNK_MIN = 512 * 1024, 4096, 16

local function open_fd(self)
    if self.fd < 0 then
        errors.fail({ what = ("cannot use map `%s`"):format(self.name), why = "its BPF object was closed" })
    end
    return self.fd
end

local function failed(self, verb, errno)
    local err = { what = ("cannot %s map `%s`"):format(verb, self.name), why = native.kernel.errno_words(errno), errno = errno }
    err.kind = "machine"
    if errno == E2BIG then
        err.why = ("it is full (%d elements)"):format(self.max_entries)
    end
    errors.fail(err)
end

local function needs_elements(self, verb)
    if not self.key_type or not self.value_type then
        errors.fail({
            what = ("cannot %s map `%s`"):format(verb, self.name),
            why = ("a map of type %s has no elements to read"):format(self.kind),
        })
    end
end

-- Writes the key into the map's key cell. An array counts from the end when the index is negative, as in bcc.
local function store_key(self, key, verb)
    needs_elements(self, verb)
    if key == nil then
        errors.fail({ what = ("cannot %s map `%s`"):format(verb, self.name), why = "the key is nil" })
    end
    if self.is_array and type(key) == "number" then
        local index = key < 0 and self.max_entries + key or key
        if index < 0 or index >= self.max_entries then
            errors.fail({
                what = ("cannot %s index %s of map `%s`"):format(verb, format.text(key), self.name),
                why = ("it has %d elements, counted from 0"):format(self.max_entries),
            })
        end
        key = index
    end
    self.key_type:store(self.key_cell, 0, key, self.key_label)
end

local function load_value(self, cell, index)
    if self.per_cpu then
        return percpu.load(self, ffi.cast("const uint8_t *", cell) + index * self.lookup_size)
    end
    return self.value_type:load(cell, index)
end

---The value of a key.
---@param key any number, 64-bit cdata, struct cdata, a table of the struct's members, or a string for `char[N]`
---@return any value nil when the key is not there; per-CPU maps give a `bpflua.PerCpu`
function Map:get(key)
    store_key(self, key, "look up a key of")
    local res = C.bpflua_map_lookup(open_fd(self), self.key_cell, self.value_cell)
    if res == 0 then
        return load_value(self, self.value_cell, 0)
    elseif res ~= -ENOENT then
        failed(self, "look up a key of", -res)
    end
end

---Sets a value; a per-CPU map takes one value for all CPUs, or a table by CPU from 0.
---@param key any
---@param value any
---@param flags? integer 0 set (default), 1 only when the key is new, 2 only when it is there
---@return boolean done false when the flags forbade it
function Map:set(key, value, flags)
    store_key(self, key, "update")
    if value == nil then
        errors.fail({ what = ("cannot update map `%s`"):format(self.name), why = "the value is nil" })
    end
    if self.per_cpu then
        percpu.store(self, self.value_cell, value)
    else
        self.value_type:store(self.value_cell, 0, value, self.value_label)
    end
    local res = C.bpflua_map_update(open_fd(self), self.key_cell, self.value_cell, flags or BPF_ANY)
    if res == -EEXIST and flags == BPF_NOEXIST or res == -ENOENT and flags == BPF_EXIST then
        return false
    elseif res ~= 0 then
        failed(self, "update", -res)
    end
    return true
end

---Deletes a key. An array's element is set to zero.
---@param key any
---@return boolean there whether the key was there
function Map:delete(key)
    store_key(self, key, "delete a key of")
    local res
    if self.is_array then
        ffi.fill(self.value_cell, self.lookup_size)
        res = C.bpflua_map_update(open_fd(self), self.key_cell, self.value_cell, BPF_ANY)
    else
        res = C.bpflua_map_delete(open_fd(self), self.key_cell)
    end
    if res ~= 0 and res ~= -ENOENT then
        failed(self, "delete a key of", -res)
    end
    return res == 0
end

-- ---------------------------------------------------------------- iteration

local function new_cursor(self)
    local token = ffi.new("uint8_t[?]", math.max(self.key_type.size, 8))
    local cursor = ffi.new("bpflua_cursor", { open_fd(self), self.key_type.size, self.lookup_size, 0, token })
    return cursor, token
end

local function chunk_length(self)
    local fitting = math.floor(CHUNK_BYTES / (self.key_type.size + self.lookup_size))
    return math.min(self.max_entries, math.max(CHUNK_MIN, math.min(CHUNK_MAX, fitting)))
end

local function value_buffer(self, length)
    if self.per_cpu then
        return ffi.new("uint8_t[?]", length * self.lookup_size)
    end
    return ffi.new(self.value_type.array, length)
end

-- Reads the next elements; the buffers grow when the kernel has more in one bucket than they hold.
local function fill(self, walk)
    while true do
        local count = walk.read(walk.cursor, walk.keys, walk.values, walk.length)
        if count >= 0 then
            return count
        elseif count ~= -ENOSPC or walk.length >= self.max_entries then
            failed(self, "walk", -count)
        end
        walk.length = math.min(walk.length * 4, self.max_entries)
        walk.keys = ffi.new(self.key_type.array, walk.length)
        walk.values = value_buffer(self, walk.length)
    end
end

local function walk(self, read, decode)
    needs_elements(self, "walk")
    local cursor, token = new_cursor(self)
    local length = chunk_length(self)
    local state = { read = read, cursor = cursor, token = token, length = length }
    state.keys, state.values = ffi.new(self.key_type.array, length), value_buffer(self, length)
    local at, count = 0, 0
    return function()
        if at == count then
            at, count = 0, fill(self, state)
            if count == 0 then
                return nil
            end
        end
        at = at + 1
        return decode(self, state.keys, state.values, at - 1)
    end
end

local function key_and_value(self, keys, values, index)
    return self.key_type:load(keys, index), load_value(self, values, index)
end

local function key_only(self, keys, _, index)
    return self.key_type:load(keys, index)
end

local function value_only(self, _, values, index)
    return load_value(self, values, index)
end

---Iterates over keys and values. Elements that come or go meanwhile may or may not be seen; every other exactly once.
---`for key, value in b.counts:items() do`
---@return fun(): any, any
function Map:items()
    return walk(self, C.bpflua_map_read, key_and_value)
end

---The same as `items`.
---@return fun(): any, any
Map.pairs = Map.items

---Iterates over the keys.
---@return fun(): any
function Map:keys()
    return walk(self, C.bpflua_map_read, key_only)
end

---Iterates over the values.
---@return fun(): any
function Map:values()
    return walk(self, C.bpflua_map_read, value_only)
end

---Iterates over keys and values, and deletes what it gives.
---@return fun(): any, any
function Map:drain()
    return walk(self, C.bpflua_map_drain, key_and_value)
end

---How many elements there are; an array's size.
---@return integer
function Map:count()
    if self.is_array then
        return self.max_entries
    end
    local count = 0
    for _ in self:keys() do
        count = count + 1
    end
    return count
end

---Deletes every element; sets an array's elements to zero.
function Map:clear()
    if self.is_array then
        return self:zero()
    end
    -- Collected first: deleting under a walk would send it back to its start.
    local keys = {}
    for key in self:keys() do
        keys[#keys + 1] = key
    end
    for _, key in ipairs(keys) do
        self:delete(key)
    end
end

---Sets every element's value to zero; the keys stay.
function Map:zero()
    needs_elements(self, "zero")
    local keys = {}
    for key in self:keys() do
        keys[#keys + 1] = key
    end
    ffi.fill(self.value_cell, self.lookup_size)
    for _, key in ipairs(keys) do
        self.key_type:store(self.key_cell, 0, key, self.key_label)
        local res = C.bpflua_map_update(open_fd(self), self.key_cell, self.value_cell, self.is_array and BPF_ANY or BPF_EXIST)
        if res ~= 0 and res ~= -ENOENT then
            failed(self, "zero", -res)
        end
    end
end

---The map's descriptor.
---@return integer
function Map:get_fd()
    return open_fd(self)
end

---A key of the map's type, made of a value or of a table of members.
---@param value? any
---@return ffi.cdata*
function Map:Key(value)
    needs_elements(self, "make a key of")
    local cell = self.key_type:cell()
    if value ~= nil then
        self.key_type:store(cell, 0, value, self.key_label)
    end
    return self.key_type:load(cell, 0)
end

---A value of the map's type, made of a value or of a table of members.
---@param value? any
---@return ffi.cdata*
function Map:Leaf(value)
    needs_elements(self, "make a value of")
    local cell = self.value_type:cell()
    if value ~= nil then
        self.value_type:store(cell, 0, value, self.value_label)
    end
    return self.value_type:load(cell, 0)
end

-- ---------------------------------------------------------------- histograms

---Prints the map as a log2 histogram: keys are slots (`bpf_log2l`), or structs whose last member is the slot.
---@param val_type? string|bpflua.HistOptions what is counted ("usecs"), or all options as one table
---@param section_header? string
---@param section_print_fn? fun(bucket: any): string
---@param bucket_fn? fun(bucket: any): any
---@param strip_leading_zero? boolean
---@param bucket_sort_fn? fun(buckets: any[]): any[]
function Map:print_log2_hist(val_type, section_header, section_print_fn, bucket_fn, strip_leading_zero, bucket_sort_fn)
    local options = hist.options("print_log2_hist", val_type, section_header, section_print_fn, bucket_fn,
        strip_leading_zero, bucket_sort_fn)
    format.write(hist.map_text("log2", self, options))
end

---Prints the map as a linear histogram; arguments as `print_log2_hist`.
function Map:print_linear_hist(val_type, section_header, section_print_fn, bucket_fn, strip_leading_zero, bucket_sort_fn)
    local options = hist.options("print_linear_hist", val_type, section_header, section_print_fn, bucket_fn,
        strip_leading_zero, bucket_sort_fn)
    format.write(hist.map_text("linear", self, options))
end

-- ---------------------------------------------------------------- the object

local Instance = {}

function Instance.__index(self, name)
    local method = Map[name]
    if method then
        return method
    elseif type(name) == "string" and not rawget(self, "text_keys") then
        errors.unknown(("map `%s` has no method `%s`"):format(rawget(self, "name"), name), name, Map, "methods of a map")
    end
    return Map.get(self, name)
end

function Instance.__newindex(self, key, value)
    if type(key) == "string" and not self.text_keys then
        errors.unknown(("map `%s` has no field `%s`"):format(self.name, key), key, Map, "methods of a map")
    elseif value == nil then
        self:delete(key)
    else
        self:set(key, value)
    end
end

Instance.__len = Map.count
Instance.__pairs = Map.items

function Instance.__tostring(self)
    return ("map %s (%s)"):format(self.name, self.kind)
end

---Makes the map of what the host tells of it.
---@param facts table see `natives/object.rs`
---@param bpf bpflua.BPF the object, kept alive by its maps
---@return bpflua.Map
function M.new(facts, bpf)
    local self = facts
    self.bpf = bpf
    if NO_ELEMENTS[self.kind] then
        self.key_type, self.value_type = nil, nil
    end
    for _, which in ipairs({ "key_type", "value_type", "event_type" }) do
        self[which] = self[which] and types.of(self[which]) or false
    end
    self.key_label = ("key of `%s`"):format(self.name)
    self.value_label = ("value of `%s`"):format(self.name)
    -- A map with text for keys is indexed by text; its methods are found first.
    self.text_keys = self.key_type and self.key_type.text or false
    if self.key_type then
        self.key_cell = self.key_type:cell()
    end
    if self.value_type then
        local size = self.per_cpu and self.lookup_size or 1
        self.value_cell = ffi.new(self.per_cpu and ffi.typeof("uint8_t[?]") or self.value_type.array, size)
    end
    -- Fields that a map lacks are false, not absent: an absent one is an unknown name.
    return setmetatable(self, Instance)
end

return M
