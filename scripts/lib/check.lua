-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `bpflua check SCRIPT.lua`: runs a script for its `BPF{…}` calls only. Each compiles its C text; what it returns stands
-- in for the object and does nothing. Loops end at once, output goes nowhere, no program is started and no file
-- written. A script that fails after its first C text because a stand-in is no real object has been checked as far as
-- it went.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local real = require("bpflua.bpf")
local source = require("bpflua.source")
local stubs = require("bpflua.stubs")

local M = {}

-- A script that still runs after so many seconds of processor time has shown what it compiles.
local LIMIT_SECONDS = 5
-- Polls before a loop without an end is ended.
local MAX_POLLS = 3

local function finish()
    errors.finish("checked")
end

local function nothing() end

local function empty_iterator()
    return nothing
end

local polls = 0
local function poll()
    polls = polls + 1
    if polls > MAX_POLLS then
        finish()
    end
    return 0
end

local inert = {}

local METHODS = {
    items = empty_iterator,
    pairs = empty_iterator,
    keys = empty_iterator,
    values = empty_iterator,
    drain = empty_iterator,
    items_lookup_batch = empty_iterator,
    items_lookup_and_delete_batch = empty_iterator,
    each_trace_fields = empty_iterator,
    perf_buffer_poll = poll,
    perf_buffer_consume = poll,
    ring_buffer_poll = poll,
    ring_buffer_consume = poll,
    kprobe_poll = poll,
    trace_fields = finish,
    trace_readline = finish,
    perf_buffer_poll_loop = nothing,
    kprobe_poll_loop = nothing,
    trace_print = nothing,
    probes = function()
        return {}
    end,
    get_syscall_fnname = function(_, name)
        return real.get_syscall_fnname(name)
    end,
    get_syscall_prefix = function()
        return real.get_syscall_prefix()
    end,
}

local function zero()
    return 0
end

setmetatable(inert, {
    __index = function(_, name)
        return METHODS[name] or inert
    end,
    __newindex = nothing,
    __call = function()
        return inert
    end,
    __add = zero, __sub = zero, __mul = zero, __div = zero, __mod = zero, __pow = zero, __unm = zero,
    __len = zero,
    __lt = function() return false end,
    __le = function() return false end,
    __concat = function() return "" end,
    __tostring = function() return "" end,
    __pairs = empty_iterator,
})

-- The name of the script without folder and ending: what the classes of its types begin with.
local function script_name()
    local file = errors.user_frame(2) or "script"
    return (file:match("([^/]+)$"):gsub("%.lua$", ""):gsub("[^%w_]", "_"))
end

local function compile(options)
    if native.run.task() == "types" then
        stubs.add(script_name(), native.create.maps((source.compile(options))))
    elseif not source.request(options).object then
        source.create(options)
    end
    return inert
end

local CLASS = {
    cleanup = nothing,
    exit = nothing,
    interval = zero,
    after = zero,
    watch = zero,
    unwatch = nothing,
    cancel = nothing,
    sleep = function() return false end,
    run = function() return "interrupted" end,
    stopped = function() return true end,
    count = function() return inert end,
    hist = function() return inert end,
    stacks = function() return inert end,
    trace = function() return inert end,
    latency = function() return inert end,
    attach_raw_socket = nothing,
    attach_xdp = nothing,
    remove_xdp = nothing,
    live = nothing,
    attach_func = nothing,
    detach_func = nothing,
}

local BPF = {}
CLASS.new = function(first, options)
    return compile(first == BPF and options or first)
end
setmetatable(BPF, {
    __call = function(_, options)
        return compile(options)
    end,
    __index = function(_, name)
        -- Looked up for its error when the real one has no such function.
        return CLASS[name] or real[name]
    end,
})

local function refused()
    return nil, "not while the script is being checked"
end

-- What would be seen outside of this process.
local function silence()
    local open = io.open
    _G.print = nothing
    io.write = function()
        return io.stdout
    end
    io.open = function(name, mode)
        if (mode or "r"):find("[wa+]") then
            return refused()
        end
        return open(name, mode)
    end
    io.popen, os.execute, os.remove, os.rename = refused, refused, refused, refused
    io.stderr = inert
    os.exit = finish
end

local function limit_time()
    debug.sethook(function()
        if os.clock() > LIMIT_SECONDS then
            debug.sethook()
            finish()
        end
    end, "", 1000000)
end

---Checks a script.
---@param boot table the caller, which knows how a script is run
---@param chunk function
---@param args string[]
---@return "exit"|"failed" how
---@return any raised
---@return table? frames
function M.run(boot, chunk, args)
    _G.USDT, require("bpflua.utils").USDT = inert, inert
    _G.BPF, package.loaded.bpf, package.loaded.bcc = BPF, BPF, BPF
    silence()
    limit_time()
    local ok, failure = boot.call(chunk, args)
    debug.sethook()
    if ok or errors.end_of_run(failure.raised) then
        return "exit", 0
    elseif native.create.checked() > 0 and not errors.is_error(failure.raised) then
        native.run.notice(1, "the check ended at: " .. tostring(failure.raised))
        return "exit", 0
    end
    return "failed", failure.raised, failure.frames
end

return M
