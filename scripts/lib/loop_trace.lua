-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The trace pipe in an event loop: its lines as they are, as fields, or delivered beside the events of buffers.

local ffi = require("ffi")

local FOREVER = math.huge

local M = { interrupted = "interrupted!" }

-- Methods of the loop.
local Loop = {}
M.Loop = Loop

---Opens trace_pipe for `trace_fields`, `trace_line` and `on_trace`.
---@param path string
function Loop:open_trace(path)
    self:number_or_raise(self.host.trace_open(self.handle, path))
end

local function fields_of(line)
    return ffi.string(line.task, line.task_len),
        line.pid,
        line.cpu,
        ffi.string(line.flags, line.flags_len),
        line.ts,
        ffi.string(line.msg, line.msg_len)
end

-- The next line by `take`, after waiting for one; nil: none now, or none any more.
local function next_trace(loop, take, nonblocking)
    local host, handle = loop.host, loop.handle
    while true do
        local line = take(handle)
        if line ~= nil then
            return line
        end
        if host.stop_requested() ~= 0 then
            loop.stop_told = true
            error(M.interrupted, 0)
        end
        local state = loop:number_or_raise(host.trace_wait(handle, nonblocking and 0 or FOREVER))
        -- Nothing came of a wait without end: that is a stop, and the next round says so.
        if state == 2 or (state == 0 and nonblocking) then
            return nil
        end
    end
end

---The fields of the next event of trace_pipe, as bcc gives them; Ctrl-C raises "interrupted!".
---@param nonblocking? boolean nil instead of waiting
---@return string? task
---@return integer pid
---@return integer cpu
---@return string flags
---@return number ts
---@return string msg
function Loop:trace_fields(nonblocking)
    local line = next_trace(self, self.host.trace_next, nonblocking)
    if line then
        return fields_of(line)
    end
end

---The next line of trace_pipe as it is, without its newline.
---@param nonblocking? boolean nil instead of waiting
---@return string?
function Loop:trace_line(nonblocking)
    local line = next_trace(self, self.host.trace_line, nonblocking)
    return line and ffi.string(line.msg, line.msg_len)
end

---Has `run` and `poll` deliver trace_pipe's events too: `fn(task, pid, cpu, flags, ts, msg)`.
function Loop:on_trace(fn)
    self.trace_handler = fn
end

function Loop:deliver_trace()
    for n = 0, 511 do
        local line = self.host.trace_next(self.handle)
        if line == nil then
            return n
        end
        self.trace_handler(fields_of(line))
    end
    return 512
end

---Delivers the lines that are there; so many rounds, because the writer may be faster than we are.
---@return number events delivered
function Loop:drain_trace()
    local n = 0
    for _ = 1, 16 do
        if self.host.trace_wait(self.handle, 0) ~= 1 then
            break
        end
        n = n + self:deliver_trace()
    end
    return n
end

---Events of trace_pipe that the kernel dropped, and lines that could not be understood.
---@return number lost
---@return number malformed
function Loop:trace_losses()
    return self.host.trace_count(self.handle, 0), self.host.trace_count(self.handle, 1)
end

return M
