-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What `bpf_trace_printk` writes, read from the kernel's trace pipe. Timers and event handlers run meanwhile.

local ffi = require("ffi")
local C = require("bpflua.cfunctions")
local contract = require("bpflua.contract")
local errors = require("bpflua.errors")
local events = require("bpflua.events")
local format = require("bpflua.format")
local native = require("bpflua.native")
local str_format = require("bpflua.str_format")

local M = {}

-- `take` decides what a line is: fields, or the line as it is.
local take

-- Lines that the loop delivered and nobody took yet, by the form they were taken in: a script that asks for the other form
-- gets what comes from then on.
local queues = {}

local function queue_of(form)
    local queue = queues[form]
    if not queue then
        queue = { first = 1, last = 0 }
        queues[form] = queue
    end
    return queue
end

local function push(item)
    local queue = queue_of(take)
    queue.last = queue.last + 1
    queue[queue.last] = item
end

local function pop(form)
    local queue = queue_of(form)
    if queue.first > queue.last then
        return nil
    end
    local item = queue[queue.first]
    queue[queue.first] = nil
    queue.first = queue.first + 1
    return item
end

local function take_fields(handle)
    local line = C.trace_next(handle)
    if line == nil then
        return nil
    end
    return {
        ffi.string(line.task, line.task_len),
        line.pid,
        line.cpu,
        ffi.string(line.flags, line.flags_len),
        line.ts,
        ffi.string(line.msg, line.msg_len),
    }
end

local function take_line(handle)
    local line = C.trace_line(handle)
    return line ~= nil and ffi.string(line.msg, line.msg_len) or nil
end

local function deliver(loop)
    local count = 0
    while count < 512 do
        local item = take(loop.handle)
        if not item then
            break
        end
        push(item)
        count = count + 1
    end
    return count
end

-- The loop with the pipe open and lines wanted.
local function tracing_loop(how)
    local loop = events.loop()
    if not loop.trace_handler then
        loop:open_trace(native.kernel.trace_pipe())
        loop:on_trace(push)
        loop.deliver_trace = deliver
    end
    take = how
    return loop
end

-- The next item; nil when there is none now (nonblocking) or the script is to end.
local function next_item(how, nonblocking)
    tracing_loop(how)
    local item = pop(how)
    while not item do
        local _, stop = events.poll(nonblocking and 0 or nil)
        item = pop(how)
        if stop and item == nil and contract.active then
            -- bcc-lua's scripts read on for ever and format what they are given: Ctrl-C raises, as it does there.
            error(events.interrupted, 0)
        end
        if stop or nonblocking then
            return item
        end
    end
    return item
end

---The fields of the next line that `bpf_trace_printk` wrote.
---@param nonblocking? boolean nil instead of waiting
---@return string? task nil when there is none, or after Ctrl-C and `BPF.exit`
---@return integer pid
---@return integer cpu
---@return string flags
---@return number ts seconds
---@return string msg
function M.trace_fields(nonblocking)
    errors.arguments("trace_fields", { "nonblocking", "boolean" }, nonblocking)
    local fields = next_item(take_fields, nonblocking)
    if fields then
        return unpack(fields, 1, 6)
    end
end

---The next line of the trace pipe as it is.
---@param nonblocking? boolean nil instead of waiting
---@return string?
function M.trace_readline(nonblocking)
    errors.arguments("trace_readline", { "nonblocking", "boolean" }, nonblocking)
    return next_item(take_line, nonblocking)
end

local FIELDS = { task = 1, pid = 2, cpu = 3, flags = 4, ts = 5, msg = 6 }

---Prints lines of the trace pipe until Ctrl-C or `BPF.exit`.
---@param fmt? string Python's `str.format`: "{1} {5}", fields by number from 0 (task, pid, cpu, flags, ts, msg) or by name, `{pid:>7}` in
---a width; default: whole lines
function M.trace_print(fmt)
    errors.arguments("trace_print", { "fmt", "string" }, fmt)
    while true do
        local item = next_item(fmt and take_fields or take_line)
        if item == nil then
            return
        end
        -- A message that ends with a newline of its own leaves an empty line behind it.
        if item ~= "" then
            format.write((fmt and str_format.format("trace_print", fmt, item, FIELDS) or item) .. "\n")
        end
    end
end

---Iterates over the fields of trace lines until Ctrl-C or `BPF.exit`.
---`for task, pid, cpu, flags, ts, msg in b:each_trace_fields() do`
---@return fun(): string?, integer, integer, string, number, string
function M.each_trace_fields()
    return function()
        return M.trace_fields()
    end
end

---@class bpflua.Pipe the trace pipe as an object
local Pipe = {}
Pipe.__index = Pipe

---The fields of the next line; see `b:trace_fields`.
---@param nonblocking? boolean nil instead of waiting
---@return string? task
---@return integer pid
---@return integer cpu
---@return string flags
---@return number ts seconds
---@return string msg
function Pipe:trace_fields(nonblocking)
    errors.arguments("trace_fields", { "nonblocking", "boolean" }, nonblocking)
    if nonblocking == nil then
        nonblocking = self.nonblocking
    end
    return M.trace_fields(nonblocking)
end

---The next line as it is.
---@param nonblocking? boolean nil instead of waiting
---@return string?
function Pipe:readline(nonblocking)
    errors.arguments("readline", { "nonblocking", "boolean" }, nonblocking)
    if nonblocking == nil then
        nonblocking = self.nonblocking
    end
    return M.trace_readline(nonblocking)
end

---Iterates over the lines, until Ctrl-C or `BPF.exit`; of a pipe that does not wait, over those that are there.
---@return fun(): string?
function Pipe:lines()
    return function()
        return self:readline()
    end
end

---Nothing: the pipe stays open for as long as the script runs, since every object reads the same one.
function Pipe:close() end

---The trace pipe, as in bcc-lua: `b:pipe():trace_fields()`.
---@return bpflua.Pipe
function M.pipe()
    return setmetatable({ nonblocking = false }, Pipe)
end

---The trace pipe, as in bcc's Python: `for line in b:trace_open():lines() do`.
---@param nonblocking? boolean reading it does not wait
---@return bpflua.Pipe
function M.trace_open(nonblocking)
    errors.arguments("trace_open", { "nonblocking", "boolean" }, nonblocking)
    return setmetatable({ nonblocking = nonblocking or false }, Pipe)
end

require("bpflua.surface").add_methods("bpflua.Pipe", Pipe, {
    noun = "trace pipe",
    is = function(value)
        return getmetatable(value) == Pipe
    end,
})

return M
