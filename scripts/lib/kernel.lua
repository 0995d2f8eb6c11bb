-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What this kernel has: types, tracepoints, functions, features. Scripts choose their C text by it.

local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

-- bcc's numbers: a script compares with 1, since 0 is true in Lua.
local function number_of(answer)
    if answer == nil then
        return -1
    end
    return answer and 1 or 0
end

---Whether a struct or union of the kernel has a member, also inside anonymous members.
---@param struct string its name: "task_struct"
---@param member string its name: "comm"
---@return 1|0|-1 has 1 yes, 0 no, -1 when the kernel has no such struct or no type data
function M.kernel_struct_has_field(struct, member)
    errors.arguments("kernel_struct_has_field", { "struct", "string!", "member", "string!" }, struct, member)
    return number_of(native.kernel.struct_has_field(struct, member))
end

---Whether an enum of the kernel has an enumerator.
---@param enum string its name: "bpf_map_type"
---@param value string the enumerator's: "BPF_MAP_TYPE_RINGBUF"
---@return 1|0|-1 has 1 yes, 0 no, -1 when the kernel has no such enum or no type data
function M.kernel_enum_has_val(enum, value)
    errors.arguments("kernel_enum_has_val", { "enum", "string!", "value", "string!" }, enum, value)
    return number_of(native.kernel.enum_has_value(enum, value))
end

---Whether the kernel has a tracepoint. The kernel needs tracefs.
---@param category string "sched"
---@param event string "sched_switch"
---@return boolean
function M.tracepoint_exists(category, event)
    errors.arguments("tracepoint_exists", { "category", "string!", "event", "string!" }, category, event)
    return native.kernel.has_tracepoint(category, event)
end

---The tracepoints whose name, `category:event`, a regular expression matches from its start, as for `attach_tracepoint`.
---@param regex string "sched:sched_wake"
---@return string[]
function M.get_tracepoints(regex)
    errors.arguments("get_tracepoints", { "regex", "string!" }, regex)
    return native.kernel.tracepoints(("(?:%s).*"):format(regex))
end

---The functions of the kernel that kprobes can be placed on and whose whole name a regular expression matches.
---@param regex string "vfs_.*"
---@return string[]
function M.get_kprobe_functions(regex)
    errors.arguments("get_kprobe_functions", { "regex", "string!" }, regex)
    return native.kernel.functions(regex)
end

---The name of the kernel function behind a system call: "clone" gives "__x64_sys_clone" on x86-64.
---@param name string of the system call: "openat"
---@return string
function M.get_syscall_fnname(name)
    errors.arguments("get_syscall_fnname", { "name", "string!" }, name)
    return native.kernel.syscall_function(name)
end

---What the kernel puts before a system call's name in its function's.
---@return string
function M.get_syscall_prefix()
    return native.kernel.syscall_prefix()
end

local supports = native.kernel.supports

---Whether programs attach to the entry and the end of kernel functions (`KFUNC_PROBE`, `KRETFUNC_PROBE`). Like the
---other `support_` functions it is tried once, and kept.
---@return boolean works
---@return string? why not
function M.support_kfunc()
    return supports("fentry")
end

---Whether programs replace the result of kernel functions (`KMOD_RET`).
---@return boolean works
---@return string? why not
function M.support_fmod_ret()
    return supports("fmod_ret")
end

---Whether programs attach to the hooks of security modules (`LSM_PROBE`).
---@return boolean works
---@return string? why not
function M.support_lsm()
    return supports("LSM program")
end

---Whether programs attach to raw tracepoints (`RAW_TRACEPOINT_PROBE`).
---@return boolean works
---@return string? why not
function M.support_raw_tracepoint()
    return supports("raw tracepoint")
end

---Whether programs attach to the raw tracepoints of kernel modules.
---@return boolean works
---@return string? why not
function M.support_raw_tracepoint_in_module()
    return supports("raw tracepoint of a kernel module")
end

return M
