-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The graph of which mutexes are taken while which others are held, and the circles in it.

local ffi = require("ffi")

local M = {}

---@class LockOrder
---@field held string the address of the mutex that was held
---@field taken string that of the one that was taken
---@field tid integer
---@field comm string
---@field seen cdata what was seen of it

---@class LockGraph
---@field after table<string, table<string, LockOrder>> by what was held, then by what was taken
---@field mutexes integer how many there are
---@field orders integer how many orders of two there are
local Graph = {}
Graph.__index = Graph

---@return LockGraph
function M.new()
    return setmetatable({ after = {}, mutexes = 0, orders = 0, _known = {} }, Graph)
end

local function know(graph, mutex)
    if not graph._known[mutex] then
        graph._known[mutex] = true
        graph.mutexes = graph.mutexes + 1
    end
end

---Notes an order.
---@return LockOrder? # when it is new
function Graph:note(order, seen)
    local held, taken = ("0x%x"):format(order.held), ("0x%x"):format(order.taken)
    self.after[held] = self.after[held] or {}
    know(self, held)
    know(self, taken)
    if self.after[held][taken] then
        return nil
    end
    self.orders = self.orders + 1
    local new = { held = held, taken = taken, tid = seen.tid, comm = ffi.string(seen.comm), seen = seen:copy() }
    self.after[held][taken] = new
    return new
end

---The shortest way from a mutex to another, if there is one.
---@return LockOrder[]?
function Graph:way(from, to)
    local came, queue, at = { [from] = false }, { from }, 1
    while queue[at] do
        local here = queue[at]
        if here == to then
            local list = {}
            while came[here] do
                table.insert(list, 1, came[here])
                here = came[here].held
            end
            return list
        end
        for taken, order in pairs(self.after[here] or {}) do
            if came[taken] == nil then
                came[taken] = order
                queue[#queue + 1] = taken
            end
        end
        at = at + 1
    end
end

---The circle that an order closes, if it does.
---@param order LockOrder
---@return LockOrder[]?
function Graph:circle(order)
    local back = self:way(order.taken, order.held)
    if back then
        table.insert(back, 1, order)
    end
    return back
end

---The graph as JSON, in the form of networkx.
---@return string
function Graph:json()
    local nodes, links = {}, {}
    for mutex in pairs(self._known) do
        nodes[#nodes + 1] = { id = mutex }
    end
    for _, orders in pairs(self.after) do
        for _, order in pairs(orders) do
            links[#links + 1] = { source = order.held, target = order.taken, thread_id = order.tid, thread_comm = order.comm }
        end
    end
    return json.encode({ directed = true, nodes = nodes, links = links })
end

return M
