-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Stacks as tools show them: the names of a stack map's functions, kernel and user space together, without what is there only
-- because we look; as text and folded.

local ffi = require("ffi")
local events = require("bpflua.events")
local format = require("bpflua.format")
local hist = require("bpflua.hist")
local report = require("bpflua.tool_report")
local symbols = require("bpflua.symbols")

local M = {}

local EFAULT = -14
local u64 = ffi.typeof("uint64_t")

-- Frames of the tracing itself, on top of the stack of what is traced.
local OURS = {
    "^bpf_prog_", "^bpf_trace_run%d", "^__bpf_trace_", "^__traceiter_", "^bpf_get_stackid", "^bpf_overflow_handler", "^__bpf_tramp",
    "^bpf_trampoline_", "^trace_call_bpf", "^perf_trace_", "^perf_call_bpf",
}

local function is_ours(name)
    for _, pattern in ipairs(OURS) do
        if name:find(pattern) then
            return true
        end
    end
    return false
end

local missing, is_told = {}, false

-- A stack that the map did not keep is not just absent: it is told at the end, with the reason.
local function note_missing(map, why)
    missing[map.name .. ": " .. why] = (missing[map.name .. ": " .. why] or 0) + 1
    if not is_told then
        is_told = true
        events.at_end(function()
            for text, count in pairs(missing) do
                io.stderr:write(("warning: %d stacks are not shown: map `%s\n"):format(count, (text:gsub(": ", "`: ", 1))))
            end
        end)
    end
end

local function with_address(name, address, options)
    return options.address and ("0x%x %s"):format(ffi.cast(u64, address), name) or name
end

local function add_kernel(frames, map, id, options)
    local next, why = map:walk(id)
    if not next then
        note_missing(map, why)
        frames[#frames + 1] = "[missing kernel stack]"
        return
    end
    local is_top = true
    for address in next do
        local name = symbols.ksym(address, false, options.offset)
        is_top = is_top and is_ours(name)
        if not is_top then
            frames[#frames + 1] = with_address(name .. (options.annotate and "_[k]" or ""), address, options)
        end
    end
end

local function add_user(frames, map, id, options)
    local next, why = map:walk(id)
    if not next then
        note_missing(map, why)
        frames[#frames + 1] = "[missing user stack]"
        return
    end
    for address in next do
        frames[#frames + 1] = with_address(symbols.sym(address, options.pid or -1, false, options.offset), address, options)
    end
end

---The names of the functions of a stack, the innermost first: those of the kernel, then those of the process.
---@param map bpflua.Map
---@param options {kernel?: integer, user?: integer, pid?: integer, delimited?: boolean, annotate?: boolean, offset?: boolean, address?: boolean}
---@return string[]
function M.frames(map, options)
    local frames = {}
    -- EFAULT: there is no such stack: a thread of the kernel, or one that was in user space.
    if options.kernel and options.kernel ~= EFAULT then
        add_kernel(frames, map, options.kernel, options)
    end
    if options.user and options.user ~= EFAULT then
        if options.delimited and #frames > 0 then
            frames[#frames + 1] = "--"
        end
        add_user(frames, map, options.user, options)
    end
    return frames
end

-- What has a meaning in the folded form: `;` sets frames apart, a line is a stack.
local function one_name(text)
    return (report.printable(text):gsub(";", ":"))
end

---A stack as flame graphs are made of it: `comm;outermost;…;innermost value`.
---@param stack table as `tool:stacks` takes it
---@return string
function M.folded(stack)
    local names = { stack.comm and one_name(stack.comm) }
    for i = #stack.frames, 1, -1 do
        names[#names + 1] = one_name(stack.frames[i])
    end
    local other = stack.target or stack.waker
    names[#names + 1] = other and one_name(other)
    return ("%s %s"):format(table.concat(names, ";"), format.text(stack.value))
end

---A stack as people read it, several lines.
---@param stack table as `tool:stacks` takes it
---@param options {unit?: string, counted?: string}
---@return string
function M.text(stack, options)
    local lines, other = {}, stack.target or stack.waker
    if other then
        lines[1] = ("    %-16s %s"):format(stack.target and "target:" or "waker:", report.printable(other))
    end
    for _, frame in ipairs(stack.frames) do
        lines[#lines + 1] = "    " .. report.printable(frame)
    end
    if stack.comm then
        local pid = stack.pid and (" (%s)"):format(format.text(stack.pid)) or ""
        lines[#lines + 1] = ("    %-16s %s%s"):format("-", report.printable(stack.comm), pid)
    end
    local value = format.text(stack.value) .. (options.unit and " " .. options.unit or "")
    local count = stack.count and (" in %d %s"):format(stack.count, options.counted or "times") or ""
    lines[#lines + 1] = ("        %s%s\n"):format(value, count)
    lines[#lines + 1] = stack.slots and hist.log2_text(stack.slots, options.unit) or nil
    return table.concat(lines, "\n")
end

return M
