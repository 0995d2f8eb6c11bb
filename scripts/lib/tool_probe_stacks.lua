-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Stacks of probes: the names of the frames behind the numbers that `get_stackid` gave, and how many there were none of.

local symbols = require("bpflua.symbols")

local M = {}

-- A process's names, kept: it may be gone before its stacks are shown.
local processes = {}

---Reads the names of a process while it is there.
---@param pid integer
---@return bpflua.SymbolCache?
function M.process(pid)
    if processes[pid] == nil then
        local ok, cache = pcall(symbols.SymbolCache, pid)
        processes[pid] = ok and cache or false
    end
    return processes[pid] or nil
end

local function user_name(address, pid, options)
    local cache = M.process(pid)
    if not cache then
        return "[unknown]"
    end
    local name, offset, module = cache:resolve(address)
    if options.offset and name ~= "[unknown]" then
        name = ("%s+0x%x"):format(name, offset)
    end
    if name == "[unknown]" and module then
        name = ("[unknown] [%s]"):format(module:match("[^/]*$"))
    end
    return name
end

local function frame(address, name, options)
    return options.address and ("%s %s"):format(("%016x"):format(address), name) or name
end

---The frames of a stack, the innermost first; nil when there is none.
---@param map bpflua.Map a stack map
---@param id integer what `get_stackid` gave
---@param pid? integer the process; nil: the kernel's stack
---@param options? {offset?: boolean, address?: boolean} with the distance from the function's start, with the address
---@return string[]? frames
---@return string? why there is none
function M.frames(map, id, pid, options)
    options = options or {}
    local next, why = map:walk(id)
    if not next then
        return nil, why
    end
    local list = {}
    for address in next do
        local name = pid and user_name(address, pid, options) or symbols.ksym(address, false, options.offset)
        list[#list + 1] = frame(address, name, options)
    end
    return list
end

-- The frames of a stack map with build IDs, whose process may be gone.
local function frames_by_file(map, id, pid, options)
    local next, why = map:walk(id)
    if not next then
        return nil, why
    end
    local list = {}
    for place in next do
        list[#list + 1] = symbols.sym(place, pid, false, options.offset)
    end
    return list
end

---Both stacks of an event as one list: the kernel's frames, then the process's.
---@param map bpflua.Map
---@param ids {kernel?: integer, user?: integer, pid: integer}
---@param options? {offset?: boolean, address?: boolean, delimiter?: string, by_file?: bpflua.Map} `delimiter`: what stands between the two;
---`by_file`: the map of the process's stacks, with build IDs
---@return string[] frames
---@return integer missing how many of them were not there
function M.both(map, ids, options)
    options = options or {}
    local list, missing = {}, 0
    local kernel = ids.kernel and M.frames(map, ids.kernel, nil, options)
    local user
    if ids.user and options.by_file then
        user = frames_by_file(options.by_file, ids.user, ids.pid, options)
    elseif ids.user then
        user = M.frames(map, ids.user, ids.pid, options)
    end
    -- -EFAULT says that there is no such stack here: a kernel thread has none of a process.
    local lost = { ids.kernel and not kernel and ids.kernel ~= -14, ids.user and not user and ids.user ~= -14 }
    for i = 1, 2 do
        missing = missing + (lost[i] and 1 or 0)
    end
    for _, name in ipairs(kernel or {}) do
        list[#list + 1] = name
    end
    if options.delimiter and kernel and user and #kernel > 0 and #user > 0 then
        list[#list + 1] = options.delimiter
    end
    for _, name in ipairs(user or {}) do
        list[#list + 1] = name
    end
    return list, missing
end

return M
