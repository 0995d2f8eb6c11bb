-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `bpflua --json SCRIPT`: each event is a line of JSON on standard output, `{"map":"opens","cpu":0,"event":{…}}`, in place
-- of a call of the script's handler. What the script prints goes to standard error, out of the way of who reads the lines.

local ffi = require("ffi")
local json = require("bpflua.json")
local native = require("bpflua.native")

local M = { wanted = native.run.json() }

local write_line

-- Bytes whose type nobody knows, as hexadecimal digits.
local function hex(event, size)
    return (ffi.string(event, size):gsub(".", function(byte)
        return ("%02x"):format(byte:byte())
    end))
end

---The handler of a buffer's events.
---@param map string the map's name
---@param ctype? bpflua.Type of the events, if it is known
---@return fun(cpu: integer, event: ffi.cdata*, size: integer)
function M.handler(map, ctype)
    local head = '{"map":' .. json.encode(map) .. ',"cpu":'
    return function(cpu, event, size)
        local value = event
        if not ctype then
            value = hex(event, size)
        elseif ctype.values then
            value = ctype:name_of(event) or event
        end
        local text = json.encode(value)
        -- A ring buffer does not say the processor.
        write_line(head .. (cpu >= 0 and ("%d"):format(cpu) or "null") .. ',"event":' .. text .. "}\n")
    end
end

---Writes lines of JSON where the events go.
---@param text string
function M.write(text)
    write_line(text)
end

---Sends what scripts print to standard error, if events are what standard output is for.
function M.install()
    if not M.wanted then
        return
    end
    local real = io.write
    write_line = function(text)
        return real(text)
    end
    io.write = function(...)
        return io.stderr:write(...)
    end
end

return M
