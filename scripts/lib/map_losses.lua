-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What maps did not take from the C text: full maps, indices beyond an array, full ring buffers that nobody reads. The
-- methods of the C text count it; here it is asked for, and told to the user where the script does not ask.

local native = require("bpflua.native")

-- The map of the counters, which is none of the C text's; see `bpf/losses.rs`.
local M = { HIDDEN_MAP = ".bss.lost" }

---@class bpflua.Map
local Map = {}
M.Map = Map

-- A map tells of its losses at most so often before the script ends.
local TELL_SECONDS = 10

local ENOMEM, EINVAL, ENOSPC, E2BIG, EBUSY, EAGAIN = 12, 22, 28, 7, 16, 11

local function why(map, errno)
    if map.is_array and errno == E2BIG then
        return ("it has %d elements, counted from 0"):format(map.max_entries)
    elseif errno == E2BIG or errno == ENOSPC or map.kind == "ringbuf" and errno == EAGAIN then
        return ("it is full (%d %s)"):format(map.max_entries, map.kind == "ringbuf" and "bytes" or "elements")
    elseif errno == ENOMEM then
        return "the kernel had no memory for another element"
    elseif errno == EBUSY then
        return "the same part of it was being changed"
    elseif errno == EINVAL then
        return "the kernel did not take the key or the value"
    end
    return native.kernel.errno_words(errno)
end

-- What is lost: records of a ring buffer, else updates.
local function noun(map, count)
    local word = map.kind == "ringbuf" and "event" or "update"
    return count == 1 and "1 " .. word .. " was" or ("%.0f %ss were"):format(count, word)
end

---How many updates of the C text the map did not take since it was created: by `update`, `insert` (for another reason
---than that the key was there), `lookup_or_try_init`, `increment` and `push`, not by the kernel's helpers themselves. Of a
---ring buffer, how many events. A script that asks is not told of this map's losses any more.
---@return number
function Map:lost()
    self.losses.asked = true
    local loss = native.maps.losses(self.bpf:_object())[self.name]
    return loss and loss.count or 0
end

---@class bpflua.Loss
---@field map string
---@field lost number updates, or events of a ring buffer
---@field why string the reason of the last of them

---What the maps did not take, of those that lost something.
---@param bpf bpflua.BPF
---@return bpflua.Loss[]
function M.list(bpf)
    local list = {}
    for name, loss in pairs(native.maps.losses(bpf:_object())) do
        local map = loss.count > 0 and bpf._maps[name]
        if map then
            list[#list + 1] = { map = name, lost = loss.count, why = why(map, loss.errno) }
        end
    end
    table.sort(list, function(a, b)
        return a.map < b.map
    end)
    return list
end

---A loss in words.
---@param map bpflua.Map
---@param loss bpflua.Loss
---@return string
function M.text(map, loss)
    return ("map `%s`: %s: %s lost"):format(map.name, loss.why, noun(map, loss.lost))
end

local function tell_new(bpf, only, ending)
    for _, loss in ipairs(M.list(bpf)) do
        local map = bpf._maps[loss.map]
        local is_wanted = not only or map == only
        if is_wanted and not map.losses.asked and loss.lost > map.losses.told then
            map.losses.told = loss.lost
            native.run.notice(0, M.text(map, loss) .. ending)
        end
    end
end

---Tells the user of losses not told of yet. At the end of an object.
---@param bpf bpflua.BPF
function M.finish(bpf)
    tell_new(bpf, nil, "")
end

---The same for one map that is about to be read, not more often than is good.
---@param map bpflua.Map
function M.note(map)
    local losses = map.losses
    if losses.counted and not losses.asked and os.time() - losses.noted >= TELL_SECONDS then
        losses.noted = os.time()
        tell_new(map.bpf, map, " so far")
    end
end

return M
