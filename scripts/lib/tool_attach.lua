-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Attaching a tool by the first of several ways that this kernel has.

local errors = require("bpflua.errors")

local M = {}

-- One attachment by the field that names what is probed.
local KINDS = {
    tp = function(b, one)
        b:attach_tracepoint({ tp = one.tp, fn_name = one.fn_name })
    end,
    raw_tp = function(b, one)
        b:attach_raw_tracepoint({ tp = one.raw_tp, fn_name = one.fn_name })
    end,
    event = function(b, one)
        if one.retprobe then
            b:attach_kretprobe({ event = one.event, fn_name = one.fn_name })
        else
            b:attach_kprobe({ event = one.event, fn_name = one.fn_name })
        end
    end,
    kfunc = function(b, one)
        b:attach_kfunc({ fn_name = one.fn_name })
    end,
    kretfunc = function(b, one)
        b:attach_kretfunc({ fn_name = one.fn_name })
    end,
}

local function kind_of(one)
    for kind in pairs(KINDS) do
        if type(one) == "table" and one[kind] ~= nil then
            return kind
        end
    end
    errors.fail({ what = "cannot attach the tool", why = "an attachment has none of `tp`, `raw_tp`, `event`, `kfunc`, `kretfunc`" })
end

local function label(one)
    local kind = kind_of(one)
    local target = one[kind]
    return target == true and one.fn_name or tostring(target)
end

-- Takes back what was attached since.
local function undo(b, before)
    local known = {}
    for _, probe in ipairs(before) do
        known[probe.kind .. probe.target .. probe.fn_name] = true
    end
    for _, probe in ipairs(b:probes()) do
        if not known[probe.kind .. probe.target .. probe.fn_name] then
            b:detach(probe)
        end
    end
end

local function try(b, way)
    local before = b:probes()
    for _, one in ipairs(way) do
        local ok, why = pcall(KINDS[kind_of(one)], b, one)
        if not ok then
            undo(b, before)
            if errors.end_of_run(why) then
                error(why, 0)
            end
            local first = tostring(why):match("[^\n]*"):gsub("^error: ", "")
            return false, ("%s: %s"):format(label(one), first)
        end
    end
    return true
end

---Attaches by the first way that works.
---@param b bpflua.BPF
---@param ways table[][]
---@return integer way
function M.first(b, ways)
    local reasons = {}
    for i, way in ipairs(ways) do
        local ok, why = try(b, way)
        if ok then
            return i
        end
        reasons[#reasons + 1] = why
    end
    errors.fail({
        kind = "machine",
        what = "cannot attach the tool",
        why = #ways == 1 and "this kernel has no way for it" or ("this kernel has none of the %d ways for it"):format(#ways),
        evidence = reasons,
    })
end

---The attachments to those of some system calls that this kernel has; an architecture may lack some, an older kernel others.
---@param names string[]
---@param functions {enter?: string, exit?: string}
---@return table[] way
---@return string[] known the calls that it has
function M.of_syscalls(names, functions)
    local way, known = {}, {}
    for _, name in ipairs(names) do
        if BPF.tracepoint_exists("syscalls", "sys_enter_" .. name) then
            known[#known + 1] = name
            for _, side in ipairs({ "exit", "enter" }) do
                if functions[side] then
                    way[#way + 1] = { tp = ("syscalls:sys_%s_%s"):format(side, name), fn_name = functions[side] }
                end
            end
        end
    end
    return way, known
end

---Several lists of attachments as one way.
---@param ... table[]
---@return table[] way
function M.together(...)
    local way = {}
    for _, part in ipairs({ ... }) do
        for _, one in ipairs(part) do
            way[#way + 1] = one
        end
    end
    return way
end

---Attaches to those of some system calls that this kernel has.
---@param b bpflua.BPF
---@param names string[]
---@param functions {enter?: string, exit?: string}
---@return string[] attached
function M.syscalls(b, names, functions)
    local way, known = M.of_syscalls(names, functions)
    if #known == 0 then
        errors.fail({
            kind = "machine",
            what = "cannot attach the tool",
            why = ("this kernel has no tracepoint of %s"):format(table.concat(names, ", ")),
        })
    end
    for _, one in ipairs(way) do
        KINDS.tp(b, one)
    end
    return known
end

return M
