-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of BPF objects for what the kernel attaches by BTF: functions at entry and return, replaced results, security
-- hooks, iterators.

local ffi = require("ffi")
local addresses = require("bpflua.addresses")
local errors = require("bpflua.errors")
local map = require("bpflua.map")
local native = require("bpflua.native")
local surface = require("bpflua.surface")
local tables = require("bpflua.tables")
local types = require("bpflua.types")

local M = {}

local TRACING = { fn_name = "string!", event = "string", cookie = "number|cdata" }
local DETACH = { fn_name = "string!" }
local ITER = {
    fn_name = "string!",
    map = "string|table",
    pid = "u32",
    tid = "u32",
    cgroup = "string",
    order = "string",
}

local function attach(self, of, kind, options)
    options = errors.options(of, options, TRACING)
    native.tracing.attach(self:_object(), {
        kind = kind,
        fn_name = options.fn_name,
        event = options.event,
        cookie = addresses.digits(of, options.cookie, "cookie"),
    })
    return self
end

local function detach(self, of, kind, options)
    if type(options) == "string" then
        options = { fn_name = options }
    end
    options = errors.options(of, options, DETACH)
    native.tracing.detach(self:_object(), { kind = kind, fn_name = options.fn_name })
    return self
end

---Attaches a function (`KFUNC_PROBE`, `SEC("fentry/…")`) to the entry of a kernel function by BTF. Those that say to what
---are attached by themselves; attaching one again changes nothing but its cookie, if one is given.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*}
---`fn_name` with or without bcc's prefix `kfunc__`; `event`: a function, or `module:function`, in place of the own one;
---`cookie` is what `bpf_get_attach_cookie(ctx)` gives (5.19)
---@return bpflua.BPF self
function M:attach_kfunc(options)
    return attach(self, "attach_kfunc", "fentry", options)
end

---Attaches a function (`KRETFUNC_PROBE`, `SEC("fexit/…")`) to the return of a kernel function by BTF.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*} as for `attach_kfunc`; bcc's prefix is `kretfunc__`
---@return bpflua.BPF self
function M:attach_kretfunc(options)
    return attach(self, "attach_kretfunc", "fexit", options)
end

---Attaches a function (`KMOD_RET`, `SEC("fmod_ret/…")`) whose result, unless it is 0, replaces that of a kernel function,
---which is then not called. The kernel lets only some be replaced: `security_…`, and those marked for error injection.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*} as for `attach_kfunc`; bcc's prefix is `kmod_ret__`
---@return bpflua.BPF self
function M:attach_fmod_ret(options)
    return attach(self, "attach_fmod_ret", "fmod_ret", options)
end

---Attaches a function (`LSM_PROBE`, `SEC("lsm/…")`) to a hook of the security modules: a result other than 0 forbids.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*} as for `attach_kfunc`; bcc's prefix is `lsm__`
---@return bpflua.BPF self
function M:attach_lsm(options)
    return attach(self, "attach_lsm", "lsm", options)
end

---Detaches what is attached to the entry of a kernel function by BTF.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function M:detach_kfunc(options)
    return detach(self, "detach_kfunc", "fentry", options)
end

---Detaches what is attached to the return of a kernel function by BTF.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function M:detach_kretfunc(options)
    return detach(self, "detach_kretfunc", "fexit", options)
end

---Detaches what replaces the result of a kernel function.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function M:detach_fmod_ret(options)
    return detach(self, "detach_fmod_ret", "fmod_ret", options)
end

---Detaches what is attached to a hook of the security modules.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function M:detach_lsm(options)
    return detach(self, "detach_lsm", "lsm", options)
end

-- ---------------------------------------------------------------- iterators

---@class bpflua.Iter
---@field name string the iterator's function
---@field bpf bpflua.BPF
local Iter = {}
Iter.__index = Iter

function Iter:__tostring()
    return "iterator " .. self.name
end

-- Chunks of the output of a new run.
local function chunks(self)
    local run = native.tracing.open_iter(self.bpf:_object(), self.name)
    return function()
        return native.tracing.read_iter(run)
    end
end

---Runs the iterator and gives all that it printed (`BPF_SEQ_PRINTF`, `bpf_seq_printf`).
---@return string
function Iter:read()
    local parts = {}
    for chunk in chunks(self) do
        parts[#parts + 1] = chunk
    end
    return table.concat(parts)
end

---Runs the iterator and gives the lines that it printed, as the kernel goes on: `for line in it:lines() do`.
---@return fun(): string?
function Iter:lines()
    local next_chunk, rest = chunks(self), ""
    return function()
        while rest do
            local line, after = rest:match("^([^\n]*)\n()")
            if line then
                rest = rest:sub(after)
                return line
            end
            local chunk = next_chunk()
            if chunk then
                rest = rest .. chunk
            else
                line, rest = rest, nil
                return line ~= "" and line or nil
            end
        end
    end
end

---Runs the iterator and gives the records that it wrote (`bpf_seq_write`), each a pointer that is good until the next.
---@param ctype string|ffi.ctype* the record's type, a C declaration: "struct { uint32_t pid; char comm[16]; }"
---@return fun(): ffi.cdata*?
function Iter:records(ctype)
    ctype = types.c_type("records", "ctype", ctype)
    local size, pointer = ffi.sizeof(ctype), ffi.typeof("const $ *", ctype)
    local next_chunk, rest, at = chunks(self), "", 0
    return function()
        while #rest - at < size do
            local chunk = next_chunk()
            if not chunk then
                if #rest > at then
                    errors.fail({
                        what = ("cannot take records apart that iterator `%s` wrote"):format(self.name),
                        why = ("%d bytes are left over, and a record has %d"):format(#rest - at, size),
                    })
                end
                return nil
            end
            rest, at = rest:sub(at + 1) .. chunk, 0
        end
        at = at + size
        return ffi.cast(pointer, ffi.cast("const char *", rest) + (at - size))
    end
end

---Detaches the iterator.
function Iter:detach()
    native.tracing.detach_iter(self.bpf:_object(), self.name)
end

local function attach_iter(self, of, options)
    options = errors.options(of, options, ITER)
    map.check_option(of, options.map)
    local copy = tables.copy(options)
    copy.map = type(options.map) == "table" and options.map.name or options.map
    native.tracing.attach_iter(self:_object(), copy)
end

---Attaches an iterator (`BPF_ITER(task)`, `SEC("iter/task")`); `b:iter` runs it. Those that need no map are attached by
---themselves; attaching one again limits it anew.
---@param options {fn_name: string, map?: string|bpflua.Map, pid?: integer, tid?: integer, cgroup?: string, order?: "self"|"pre"|"post"|"up"}
---`fn_name` with or without `bpf_iter__`; through one `map`, the tasks of a process `pid` or a thread `tid`, or from a
---`cgroup` (its folder) on, in an `order`
---@return bpflua.BPF self
function M:attach_iter(options)
    attach_iter(self, "attach_iter", options)
    return self
end

---An iterator, to be run as often as wanted: `for line in b:iter("bpf_iter__task"):lines() do`.
---@param fn_name string|{fn_name: string, map?: string|bpflua.Map, pid?: integer, tid?: integer, cgroup?: string, order?: string} a function, or the options of `attach_iter`, which attaches it first
---@return bpflua.Iter
function M:iter(fn_name)
    if type(fn_name) == "table" then
        attach_iter(self, "iter", fn_name)
        fn_name = fn_name.fn_name
    end
    errors.arguments("iter", { "fn_name", "string!" }, fn_name)
    return setmetatable({ name = fn_name, bpf = self }, Iter)
end

---Detaches an iterator.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function M:detach_iter(options)
    if type(options) == "string" then
        options = { fn_name = options }
    end
    options = errors.options("detach_iter", options, DETACH)
    native.tracing.detach_iter(self:_object(), options.fn_name)
    return self
end

surface.add_methods("bpflua.Iter", Iter, {
    noun = "iterator",
    is = function(value)
        return getmetatable(value) == Iter
    end,
})

return M
