-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The locals and upvalues of a function that is still running: what a prompt inside a script sees of it. They are looked at
-- where they are, so that the script and the prompt share them.

local M = {}

local Frame = {}
Frame.__index = Frame

-- The frames above `level`, which counts from the caller.
local function frames_from(level)
    local count = 0
    while debug.getinfo(level + count + 1, "l") do
        count = count + 1
    end
    return count
end

---The frame of the innermost function of the user's own.
---@param is_ours fun(source: string): boolean whether a source is one of bpflua's
---@return bpflua.Frame?
function M.of_caller(is_ours)
    local level = 2
    while true do
        local info = debug.getinfo(level, "Sf")
        if not info then
            return nil
        elseif info.what ~= "C" and not is_ours(info.source) then
            return setmetatable({ height = frames_from(level), func = info.func, thread = coroutine.running() }, Frame)
        end
        level = level + 1
    end
end

-- The frame's level, counted from the caller; nil when it is another coroutine's, or over.
function Frame:level()
    if coroutine.running() ~= self.thread then
        return nil
    end
    local level = frames_from(1) - self.height + 1
    local info = level > 0 and debug.getinfo(level, "f")
    return info and info.func == self.func and level - 1 or nil
end

-- The number of an active local, the innermost of its name.
local function number_of(level, name)
    local found
    local number = 1
    while true do
        local one = debug.getlocal(level + 1, number)
        if not one then
            return found
        end
        found = one == name and number or found
        number = number + 1
    end
end

local function upvalue_of(func, name)
    for number = 1, 255 do
        local one = debug.getupvalue(func, number)
        if not one or one == name then
            return one and number
        end
    end
end

---The value of a local or upvalue.
---@param name string
---@return boolean is_there
---@return any value
function Frame:get(name)
    local level = self:level()
    local number = level and number_of(level, name)
    if number then
        return true, (select(2, debug.getlocal(level, number)))
    end
    number = upvalue_of(self.func, name)
    if number then
        return true, (select(2, debug.getupvalue(self.func, number)))
    end
    return false
end

---Sets a local or upvalue.
---@param name string
---@param value any
---@return boolean is_there
function Frame:set(name, value)
    local level = self:level()
    local number = level and number_of(level, name)
    if number then
        debug.setlocal(level, number, value)
        return true
    end
    number = upvalue_of(self.func, name)
    return number ~= nil and debug.setupvalue(self.func, number, value) ~= nil
end

---The names of the locals and upvalues.
---@return string[]
function Frame:names()
    local names, level = {}, self:level()
    local function add(name)
        if name:match("^[%a_][%w_]*$") then
            names[#names + 1] = name
        end
    end
    for number = 1, level and 250 or 0 do
        local name = debug.getlocal(level, number)
        if not name then
            break
        end
        add(name)
    end
    for number = 1, 255 do
        local name = debug.getupvalue(self.func, number)
        if not name then
            break
        end
        add(name)
    end
    return names
end

---Copies the locals of all functions of the user's own that are running; the inner ones count. For what is about to be
---unwound.
---@param is_ours fun(source: string): boolean
---@return table<string, any>
function M.copy_all(is_ours)
    local copies, level = {}, 2
    while true do
        local info = debug.getinfo(level, "Sf")
        if not info then
            return copies
        elseif info.what ~= "C" and not is_ours(info.source) then
            local mine = {}
            for number = 1, 250 do
                local name, value = debug.getlocal(level, number)
                if not name then
                    break
                elseif name:match("^[%a_][%w_]*$") then
                    mine[name] = value
                end
            end
            for name, value in pairs(mine) do
                if copies[name] == nil then
                    copies[name] = value
                end
            end
        end
        level = level + 1
    end
end

return M
