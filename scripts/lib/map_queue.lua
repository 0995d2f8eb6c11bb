-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of queues and stacks, which have values and no keys.

local C = require("bpflua.cfunctions")
local cells = require("bpflua.map_cells")
local errors = require("bpflua.errors")

---@class bpflua.Map
local Map = {}

local ENOENT = 2

local function needs_queue(self, method)
    if not self.is_queue then
        errors.fail({
            what = ("cannot call `%s` on map `%s`"):format(method, self.name),
            why = ("it is of type %s, not queue or stack"):format(self.kind),
        })
    end
end

---Adds a value at the end of a queue, on top of a stack.
---@param value any as of `set`
---@param flags? integer 2 (BPF_EXIST): when it is full, the oldest value makes room
function Map:push(value, flags)
    needs_queue(self, "push")
    if flags ~= nil then
        errors.arguments("push", { "flags", "natural" }, flags)
    end
    cells.store_value(self, self.value_cell, 0, value)
    local res = C.bpflua_map_update(cells.open_fd(self), nil, self.value_cell, flags or 0)
    if res ~= 0 then
        cells.failed(self, "push to", -res)
    end
end

local function take(self, verb, lookup)
    local res = lookup(cells.open_fd(self), nil, self.value_cell)
    if res == 0 then
        return cells.load_value(self, self.value_cell, 0)
    elseif res ~= -ENOENT then
        cells.failed(self, verb, -res)
    end
end

---Takes the oldest value out of a queue, the newest out of a stack.
---@return any value nil when it is empty
function Map:pop()
    needs_queue(self, "pop")
    return take(self, "pop from", C.bpflua_map_lookup_and_delete)
end

---The value that `pop` would take.
---@return any value nil when it is empty
function Map:peek()
    needs_queue(self, "peek")
    return take(self, "peek into", C.bpflua_map_lookup)
end

return Map
