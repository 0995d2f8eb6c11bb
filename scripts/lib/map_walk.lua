-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of maps that go over all elements: iterators, count, clear, zero.

local ffi = require("ffi")
local C = require("bpflua.cfunctions")
local cells = require("bpflua.map_cells")
local contract = require("bpflua.contract")
local errors = require("bpflua.errors")
local losses = require("bpflua.map_losses")

---@class bpflua.Map
local Map = {}

local ENOENT, ENOSPC = 2, 28
local BPF_ANY, BPF_EXIST = 0, 2
-- A walk reads this many bytes at a time: big enough that system calls do not count, small enough for a cache.
local CHUNK_BYTES, CHUNK_MAX, CHUNK_MIN = 512 * 1024, 4096, 16

-- Maps that are set from here and only read by programs.
local WRITE_ONLY = { perf_event_array = true, cgroup_array = true, reuseport_sockarray = true }

local function new_cursor(self)
    local token = ffi.new("uint8_t[?]", math.max(self.key_type.size, 8))
    local cursor = ffi.new("bpflua_cursor", { cells.open_fd(self), self.key_type.size, self.lookup_size, 0, token })
    return cursor, token
end

local function chunk_length(self)
    local fitting = math.floor(CHUNK_BYTES / (self.key_type.size + self.lookup_size))
    return math.max(1, math.min(self.max_entries, math.max(CHUNK_MIN, math.min(CHUNK_MAX, fitting))))
end

-- What a walk holds: its place, and room for the elements of a chunk.
local function new_walk(self, read)
    local cursor, token = new_cursor(self)
    local length = chunk_length(self)
    local keys, values = ffi.new(self.key_type.array, length), cells.value_buffer(self, length)
    return { read = read, cursor = cursor, token = token, length = length, keys = keys, values = values }
end

-- Maps that the kernel hands out bucket by bucket. A walk over others goes from key to key: where that key is gone by then,
-- the kernel begins anew, and what was met before has to be told from what was not.
local BY_BUCKET = { hash = true, lru_hash = true, percpu_hash = true, lru_percpu_hash = true, hash_of_maps = true }
-- The state of a cursor that goes from key to key: `STATE_KEYS` in src/bpf/ffi.rs.
local STATE_KEYS = 2
-- A walk that is sent back so many times over ends: a program deletes faster than this reads.
local MOST_ROUNDS = 16

local function may_begin_anew(self, cursor)
    return not self.is_array and (not BY_BUCKET[self.kind] or cursor.state == STATE_KEYS)
end

-- Whether an element of the chunk was met before, by this walk; notes it. Ends a walk that meets nothing new any more.
local function was_met(self, state, index)
    local size = self.key_type.size
    local key = ffi.string(ffi.cast("const char *", state.keys) + index * size, size)
    if not state.met[key] then
        state.met[key], state.count, state.again = true, state.count + 1, 0
        return false
    end
    state.again = state.again + 1
    state.is_over = state.again > MOST_ROUNDS * state.count
    return true
end

-- Reads the next elements; the buffers grow when the kernel has more in one bucket than they hold. Below 0: an errno.
local function read_more(self, walk)
    while true do
        local count = walk.read(walk.cursor, walk.keys, walk.values, walk.length)
        if count ~= -ENOSPC or walk.length >= self.max_entries then
            return count
        end
        walk.length = math.min(walk.length * 4, self.max_entries)
        walk.keys = ffi.new(self.key_type.array, walk.length)
        walk.values = cells.value_buffer(self, walk.length)
    end
end

local function fill(self, walk)
    local count = read_more(self, walk)
    return count >= 0 and count or cells.failed(self, "walk", -count)
end

local function walk(self, read, decode)
    cells.needs_elements(self, "walk")
    if WRITE_ONLY[self.kind] then
        errors.fail({
            what = ("cannot walk map `%s`"):format(self.name),
            why = ("a map of type %s has no elements to read"):format(self.kind),
        })
    end
    losses.note(self)
    local state = new_walk(self, read)
    local at, count = 0, 0
    return function()
        repeat
            if at == count then
                at, count = 0, fill(self, state)
                if not state.met and read == C.bpflua_map_read and may_begin_anew(self, state.cursor) then
                    state.met, state.count, state.again = {}, 0, 0
                end
            end
            if count == 0 or state.is_over then
                return nil
            end
            at = at + 1
        until not state.met or not was_met(self, state, at - 1)
        return decode(self, state.keys, state.values, at - 1)
    end
end

local function key_and_value(self, keys, values, index)
    return self.key_type:load(keys, index), cells.load_value(self, values, index)
end

local function key_only(self, keys, _, index)
    return self.key_type:load(keys, index)
end

local function value_only(self, _, values, index)
    return cells.load_value(self, values, index)
end

local function pairs_of(self)
    return walk(self, C.bpflua_map_read, key_and_value)
end

---Iterates over keys and values. Elements that come or go meanwhile may or may not be seen; every other exactly once.
---`for key, value in b.counts:items() do`
---@param with_index? boolean of an array: true gives each value's number, counted from 1, in place of its index; false gives
---values alone, and so does none in a script of bcc-lua's contract
---@return fun(): any, any
function Map:items(with_index)
    if with_index ~= nil then
        errors.arguments("items", { "with_index", "boolean" }, with_index)
    end
    if self.is_array and (with_index ~= nil or contract.active) then
        return contract.array_items(self:values(), with_index)
    end
    return pairs_of(self)
end

---Iterates over keys and values, in scripts of every kind: what `pairs(map)` does.
---@return fun(): any, any
function Map:pairs()
    return pairs_of(self)
end

---Iterates over the keys.
---@return fun(): any
function Map:keys()
    return walk(self, C.bpflua_map_read, key_only)
end

---Iterates over the values. Those of a queue or a stack are popped.
---@return fun(): any
function Map:values()
    if self.is_queue then
        return function()
            return self:pop()
        end
    end
    return walk(self, C.bpflua_map_read, value_only)
end

---Iterates over keys and values, and deletes what it gives.
---@return fun(): any, any
function Map:drain()
    return walk(self, C.bpflua_map_drain, key_and_value)
end

---bcc's name for the way that `items` goes everywhere: in batches where the kernel has them.
---@return fun(): any, any
function Map:items_lookup_batch()
    return pairs_of(self)
end

---bcc's name for `drain`.
---@return fun(): any, any
Map.items_lookup_and_delete_batch = Map.drain

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

---bcc-lua's name for `count`.
---@return integer
Map.size = Map.count

-- Maps that the kernel empties bucket by bucket, in one pass: what a program puts meanwhile into a bucket that was passed stays.
local DRAINED_BY_BUCKET = { hash = true, lru_hash = true, percpu_hash = true, lru_percpu_hash = true }

-- Whether all is deleted. Not so where the kernel has no batches, or refuses: then each deletion tells for itself.
local function clear_by_bucket(self)
    local state, count = new_walk(self, C.bpflua_map_drain), nil
    repeat
        count = read_more(self, state)
    until count <= 0 or state.cursor.state == STATE_KEYS
    return count == 0 and state.cursor.state ~= STATE_KEYS
end

---Deletes every element; sets an array's elements to zero.
function Map:clear()
    cells.needs_elements(self, "clear")
    if self.is_array then
        return self:zero()
    elseif DRAINED_BY_BUCKET[self.kind] and clear_by_bucket(self) then
        return
    end
    -- Collected first: deleting under a walk would send it back to its start.
    local keys = {}
    for key in self:keys() do
        keys[#keys + 1] = key
    end
    self:items_delete_batch(keys)
end

---Sets every element's value to zero; the keys stay.
function Map:zero()
    cells.needs_elements(self, "zero")
    local keys = {}
    for key in self:keys() do
        keys[#keys + 1] = key
    end
    ffi.fill(self.value_cell, self.lookup_size)
    for _, key in ipairs(keys) do
        self.key_type:store(self.key_cell, 0, key, self.key_label)
        local res = C.bpflua_map_update(cells.open_fd(self), self.key_cell, self.value_cell, self.is_array and BPF_ANY or BPF_EXIST)
        if res ~= 0 and res ~= -ENOENT then
            cells.failed(self, "zero", -res)
        end
    end
end

return Map
