-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A map of a BPF object, as a script sees it: elements, iteration, histograms, event buffers.

local ffi = require("ffi")
local C = require("bpflua.cfunctions")
local cells = require("bpflua.map_cells")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local hist = require("bpflua.hist")
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
local NO_ELEMENTS = { ringbuf = true, user_ringbuf = true, arena = true }

local ENOENT, EEXIST = 2, 17
local BPF_ANY, BPF_NOEXIST, BPF_EXIST = 0, 1, 2

for _, methods in ipairs({
    require("bpflua.map_walk"),
    require("bpflua.map_batch"),
    require("bpflua.map_queue"),
    require("bpflua.map_counters"),
    require("bpflua.map_text"),
    require("bpflua.map_losses").Map,
}) do
    for name, method in pairs(methods) do
        Map[name] = method
    end
end

---The value of a key.
---@param key any number, 64-bit cdata, struct cdata, a table of the struct's members, or a string for `char[N]`
---@return any value nil when the key is not there; per-CPU maps give a `bpflua.PerCpu`
function Map:get(key)
    cells.store_key(self, key, "look up a key of")
    local res = C.bpflua_map_lookup(cells.open_fd(self), self.key_cell, self.value_cell)
    if res == 0 then
        return cells.load_value(self, self.value_cell, 0)
    elseif res ~= -ENOENT then
        cells.failed(self, "look up a key of", -res)
    end
end

---Sets a value; a per-CPU map takes one value for all CPUs, or a table by CPU from 0. A program array takes the result
---of `load_func`, a map of maps a map, a cgroup array the path of a cgroup, and each of them a file descriptor.
---@param key any as of `get`
---@param value any number, 64-bit cdata, struct cdata, a table of the struct's members, a string for `char[N]`
---@param flags? integer 0 set (default), 1 only when the key is new, 2 only when it is there
---@return boolean done false when the flags forbade it
function Map:set(key, value, flags)
    if flags ~= nil then
        errors.arguments("set", { "flags", "natural" }, flags)
    end
    cells.store_key(self, key, "update")
    local release = cells.store_value(self, self.value_cell, 0, value)
    local res = C.bpflua_map_update(cells.open_fd(self), self.key_cell, self.value_cell, flags or BPF_ANY)
    if release then
        release()
    end
    if res == -EEXIST and flags == BPF_NOEXIST or res == -ENOENT and flags == BPF_EXIST then
        return false
    elseif res ~= 0 then
        cells.failed(self, "update", -res, value)
    end
    return true
end

---Deletes a key. An array's element is set to zero.
---@param key any as of `get`
---@return boolean there whether the key was there
function Map:delete(key)
    cells.store_key(self, key, "delete a key of")
    local res
    if self.is_array then
        ffi.fill(self.value_cell, self.lookup_size)
        res = C.bpflua_map_update(cells.open_fd(self), self.key_cell, self.value_cell, BPF_ANY)
    else
        res = C.bpflua_map_delete(cells.open_fd(self), self.key_cell)
    end
    if res ~= 0 and res ~= -ENOENT then
        cells.failed(self, "delete a key of", -res)
    end
    return res == 0
end

---The map's descriptor.
---@return integer
function Map:get_fd()
    return cells.open_fd(self)
end

---A key of the map's type, made of a value or of a table of members.
---@param value? any as of `set`; default: zero
---@return ffi.cdata*
function Map:Key(value)
    cells.needs_elements(self, "make a key of")
    local cell = self.key_type:cell()
    if value ~= nil then
        self.key_type:store(cell, 0, value, self.key_label)
    end
    return self.key_type:load(cell, 0)
end

---A value of the map's type, made of a value or of a table of members.
---@param value? any as of `set`; default: zero
---@return ffi.cdata*
function Map:Leaf(value)
    cells.needs_elements(self, "make a value of")
    local cell = self.value_type:cell()
    if value ~= nil then
        self.value_type:store(cell, 0, value, self.value_label)
    end
    return self.value_type:load(cell, 0)
end

-- ---------------------------------------------------------------- histograms

---Prints the map as a log2 histogram: keys are slots (`bpf_log2l`), or structs whose last member is the slot.
---@param val_type? string|bpflua.HistOptions what is counted ("usecs"), or all options as one table
---@param section_header? string what a section is, in the line above it; default "Bucket ptr"
---@param section_print_fn? fun(bucket: any): string
---@param bucket_fn? fun(bucket: any): any
---@param strip_leading_zero? boolean leaves out the empty rows before the first that counts, default false
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

---Prints the map as histograms in JSON, one line each: `ts`, `val_type`, `data`, and the section under its header.
---@param val_type? string|bpflua.HistOptions what is counted ("usecs"; default "value"), or all options as one table
---@param section_header? string what a section is, in the line above it; default "Bucket ptr"
---@param section_print_fn? fun(bucket: any): string
---@param bucket_fn? fun(bucket: any): any
---@param bucket_sort_fn? fun(buckets: any[]): any[]
function Map:print_json_hist(val_type, section_header, section_print_fn, bucket_fn, bucket_sort_fn)
    local options = hist.options("print_json_hist", val_type, section_header, section_print_fn, bucket_fn, nil, bucket_sort_fn)
    format.write(hist.map_text("json", self, options))
end

-- ---------------------------------------------------------------- the object

local Instance = {}

-- `b.stacks[id]` is the value as the C text has it; `b.stacks:get(id)` is the stack as a list (stacks.lua).
local value_of = Map.get

---What the methods are for; see `surface.lua`.
---@type Receiver
M.receiver = {
    noun = "map",
    is = function(value)
        return getmetatable(value) == Instance
    end,
    ready = cells.open_fd,
}

function Instance.__index(self, name)
    local method = Map[name]
    if method then
        return method
    elseif type(name) == "string" and not rawget(self, "text_keys") then
        errors.unknown(("map `%s` has no method `%s`"):format(rawget(self, "name"), name), name, Map, "methods of a map")
    end
    return value_of(self, name)
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
Instance.__pairs = Map.pairs

function Instance.__tostring(self)
    return ("map %s (%s)"):format(self.name, self.kind)
end

---Checks an option that is a map or its name.
---@param of string the method's name, for the error
---@param value string|bpflua.Map
function M.check_option(of, value)
    if type(value) == "table" and not M.receiver.is(value) then
        errors.fail({ what = ("option `map` of `%s` is a table"):format(of), why = "it must be a map or its name" })
    end
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
        self.value_cell = cells.value_buffer(self, 1)
    end
    -- bcc-lua's names of the types.
    self.c_key, self.c_leaf = self.key_type and self.key_type.ctype or false, self.value_type and self.value_type.ctype or false
    -- What the C text's updates lost: whether that is counted, how much the user was told of, when it was last looked at,
    -- and whether the script looks itself.
    self.losses = { counted = self.counts_losses, told = 0, noted = 0, asked = false }
    -- What a view with one value for all CPUs was made of, and how: see `get_table`.
    self.whole, self.reducer = false, false
    self.is_open = false
    self.is_queue = self.kind == "queue" or self.kind == "stack"
    -- Fields that a map lacks are false, not absent: an absent one is an unknown name.
    return setmetatable(self, Instance)
end

return M
