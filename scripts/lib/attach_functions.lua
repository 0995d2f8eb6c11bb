-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of BPF objects for functions that others call: in place of a function of another program, and as members of a
-- struct of the kernel's.

local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

local FREPLACE = { fn_name = "string!", target = "string|i32|table!", func = "string" }
local DETACH_FREPLACE = { fn_name = "string!" }
local STRUCT_OPS = { name = "string!" }

---Puts a function (`SEC("freplace/FUNCTION")`) in the place of a function of a loaded program: whoever calls that one
---calls this one until it is detached. What can be replaced is the program itself and its functions that are neither
---`static` nor inlined (`__noinline`); the parameters must be the same. The kernel needs trampolines (5.10).
---@param options {fn_name: string, target: string|bpflua.Function|integer, func?: string}
---`target`: a function of the same C text, which is loaded if it is not yet; what `load_func` gave, of any object; or a
---descriptor of a program. `func`: the function in it; default: what the section says, else the program itself
---@return bpflua.BPF self
function M:attach_freplace(options)
    options = errors.options("attach_freplace", options, FREPLACE)
    local copy = { fn_name = options.fn_name, func = options.func }
    local target = options.target
    if type(target) == "string" then
        copy.target = target
    elseif type(target) == "number" then
        copy.fd = target
    elseif type(rawget(target, "fd")) == "number" then
        copy.fd = target.fd
    else
        errors.fail({
            what = "option `target` of `attach_freplace` is no program",
            why = "give a function's name, what `load_func` returned, or a descriptor",
        })
    end
    native.tracing.attach_freplace(self:_object(), copy)
    return self
end

---Takes a function out of the place of the others that `attach_freplace` put it in.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function M:detach_freplace(options)
    if type(options) == "string" then
        options = { fn_name = options }
    end
    options = errors.options("detach_freplace", options, DETACH_FREPLACE)
    native.tracing.detach(self:_object(), { kind = "freplace", fn_name = options.fn_name })
    return self
end

local function struct_ops_name(of, options)
    if type(options) == "string" then
        options = { name = options }
    end
    return errors.options(of, options, STRUCT_OPS).name
end

---Has the kernel call the functions of a struct: a variable in `SEC(".struct_ops.link")` or `SEC(".struct_ops")`, such as a
---`struct tcp_congestion_ops`. Those are attached by themselves unless the section begins with `?`; attaching one again
---changes nothing. By a link where the kernel has them (6.4), which goes with the process.
---@param options {name: string}|string the variable's name
---@return bpflua.BPF self
function M:attach_struct_ops(options)
    native.tracing.attach_struct_ops(self:_object(), struct_ops_name("attach_struct_ops", options))
    return self
end

---Detaches a struct of functions. What uses it at the moment, such as a socket, keeps it until it is done.
---@param options {name: string}|string the variable's name
---@return bpflua.BPF self
function M:detach_struct_ops(options)
    native.tracing.detach_struct_ops(self:_object(), struct_ops_name("detach_struct_ops", options))
    return self
end

return M
