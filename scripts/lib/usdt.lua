-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- USDT: the probes that authors left in their programs. `USDT{…}` says where to look, `b:attach_usdt{…}` attaches.

local addresses = require("bpflua.addresses")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local surface = require("bpflua.surface")

local M = { methods = {} }

local SOURCE = { pid = "i32", path = "string" }
local ENABLE = { probe = "string!", fn_name = "string!", cookie = "number|cdata" }
local ATTACH = {
    pid = "i32",
    path = "string",
    provider = "string",
    probe = "string!",
    fn_name = "string!",
    cookie = "number|cdata",
}
local DETACH = { pid = "i32", provider = "string", probe = "string!", fn_name = "string" }

-- ---------------------------------------------------------------- a probe

---@class bpflua.USDTArgument
---@field text string as the file has it: "-4@-20(%rbp)"
---@field size integer bytes
---@field signed boolean
---@field ctype string "int32_t"; of a probe: the widest of its locations
---@field unreadable? string why no program can read it

---@class bpflua.USDTLocation
---@field path string the file
---@field address integer where it is, as the file is linked
---@field offset? integer where it is in the file
---@field semaphore integer the address of its semaphore, or 0
---@field num_arguments integer
---@field arguments bpflua.USDTArgument[]

---@class bpflua.USDTProbe
---@field provider string
---@field name string
---@field path string the file of the first location
---@field semaphore integer the address of its semaphore, or 0
---@field num_locations integer
---@field num_arguments integer
---@field arguments bpflua.USDTArgument[]
---@field locations bpflua.USDTLocation[]
local Probe = {}

---"provider:name"
---@return string
function Probe:short_name()
    return self.provider .. ":" .. self.name
end

local probe_mt = {
    __index = function(self, name)
        if name == "locations" then
            local found = native.usdt.locations(rawget(self, "_probes"), Probe.short_name(self))
            rawset(self, name, found)
            return found
        end
        return Probe[name]
    end,
    __tostring = function(self)
        local semaphore = self.semaphore ~= 0 and (" [sema 0x%x]"):format(self.semaphore) or ""
        return Probe.short_name(self) .. semaphore
    end,
}

-- ---------------------------------------------------------------- where to look

---@class bpflua.USDT
local Usdt = {}

local usdt_mt = {
    __index = function(_, name)
        local found = Usdt[name]
        if found == nil then
            errors.unknown(("a USDT object has no method `%s`"):format(tostring(name)), name, Usdt, "methods")
        end
        return found
    end,
    __tostring = function()
        return "USDT object"
    end,
}

local function is_context(value)
    return type(value) == "table" and getmetatable(value) == usdt_mt
end

-- Without a path, bcc takes pid -1 for none.
local function process(pid)
    return pid and pid >= 0 and pid or nil
end

---Reads the probes of a file, or of the program and the libraries of a process.
---@param options {pid?: integer, path?: string} `path`: a path, a program in PATH, or a library ("c"); with `pid`, as that
---process sees it, and only that process is traced
---@return bpflua.USDT
local function open(options)
    options = errors.options("USDT", options, SOURCE)
    local source = { path = options and options.path, pid = process(options and options.pid) }
    if not source.path and not source.pid then
        errors.fail({ what = "`USDT{…}` needs one of the options `pid` and `path`" })
    end
    local self = { _probes = native.usdt.open(source), _pid = source.pid or false, _enabled = {} }
    return setmetatable(self, usdt_mt)
end

local function enable(self, of, options)
    options = errors.options(of, options, ENABLE)
    local cookie = addresses.digits(of, options.cookie, "cookie")
    local found = native.usdt.find(self._probes, options.probe, ("cannot enable USDT probe `%s`"):format(options.probe))
    self._enabled[#self._enabled + 1] = {
        provider = found.provider,
        probe = found.name,
        fn_name = options.fn_name,
        cookie = cookie,
    }
    return self
end

---Has a function attached to a probe when the object is given to `BPF{usdt_contexts = {u}}`.
---@param options {probe: string, fn_name: string, cookie?: integer|ffi.cdata*} `probe`: "name" or "provider:name"; `cookie`: what
---`bpf_usdt_cookie(ctx)` gives
---@return bpflua.USDT self
function Usdt:enable_probe(options)
    return enable(self, "enable_probe", options)
end

---bcc's other name for it: here, too, an error ends the script unless it is caught.
---@param options {probe: string, fn_name: string, cookie?: integer|ffi.cdata*}
---@return bpflua.USDT self
function Usdt:enable_probe_or_bail(options)
    return enable(self, "enable_probe_or_bail", options)
end

---All probes there are.
---@return bpflua.USDTProbe[]
function Usdt:enumerate_probes()
    local probes = native.usdt.list(self._probes)
    for _, probe in ipairs(probes) do
        probe._probes = self._probes
        setmetatable(probe, probe_mt)
    end
    return probes
end

---The C type that holds an argument of a probe at all its locations.
---@param probe string "name" or "provider:name"
---@param index integer from 0, as in bcc
---@return string ctype "int32_t"
function Usdt:get_probe_arg_ctype(probe, index)
    errors.arguments("get_probe_arg_ctype", { "probe", "string!", "index", "u32!" }, probe, index)
    return native.usdt.argument_type(self._probes, probe, index)
end

---bcc puts this text before the program. Here nothing has to be: programs find the arguments by themselves.
---@return string text always empty
function Usdt:get_text()
    return ""
end

---There is nothing to free; probes are detached with the BPF object.
function Usdt:close() end

-- ---------------------------------------------------------------- methods of BPF objects

---Attaches a function to a USDT probe, at all its locations.
---@param options {pid?: integer, path?: string, provider?: string, probe: string, fn_name: string, cookie?: integer|ffi.cdata*}
---`path`: a path, a program in PATH, or a library; without it, the program and libraries of the process `pid`; `pid`: only
---this process; `probe`: "name" or "provider:name"; `cookie`: what `bpf_usdt_cookie(ctx)` gives
---@return bpflua.BPF self
function M.methods:attach_usdt(options)
    options = errors.options("attach_usdt", options, ATTACH)
    local cookie = addresses.digits("attach_usdt", options.cookie, "cookie")
    local pid = process(options.pid)
    if not options.path and not pid then
        errors.fail({ what = "`attach_usdt` needs one of the options `pid` and `path`" })
    end
    local probes = native.usdt.open({ path = options.path, pid = pid })
    native.usdt.attach(self:_object(), probes, {
        provider = options.provider,
        probe = options.probe,
        fn_name = options.fn_name,
        pid = pid,
        cookie = cookie,
    })
    return self
end

---Detaches what was attached to this USDT probe.
---@param options {probe: string, provider?: string, pid?: integer, fn_name?: string} without `fn_name`: every function;
---without `pid`: what was attached for every process
---@return bpflua.BPF self
function M.methods:detach_usdt(options)
    options = errors.options("detach_usdt", options, DETACH)
    native.usdt.detach(self:_object(), {
        provider = options.provider,
        probe = options.probe,
        fn_name = options.fn_name,
        pid = process(options.pid),
    })
    return self
end

-- The contexts that `BPF{…}` was given.
local function contexts(options)
    local given = { unpack(options.usdt_contexts or {}) }
    given[#given + 1] = options.usdt
    for i, context in ipairs(given) do
        if not is_context(context) then
            errors.fail({
                what = ("context %d of `usdt_contexts` is a %s"):format(i, errors.type_name(context)),
                why = "it must be what `USDT{…}` gave",
            })
        end
    end
    return given
end

---Attaches what the contexts of `BPF{usdt_contexts = {…}}` have enabled.
---@param handle userdata the object
---@param options table those of `BPF{…}`
function M.attach_contexts(handle, options)
    for _, context in ipairs(contexts(options)) do
        for _, one in ipairs(context._enabled) do
            native.usdt.attach(handle, context._probes, {
                provider = one.provider,
                probe = one.probe,
                fn_name = one.fn_name,
                cookie = one.cookie,
                pid = not options.attach_usdt_ignore_pid and context._pid or nil,
            })
        end
    end
end

-- ---------------------------------------------------------------- the class

---@class bpflua.USDTClass
---@overload fun(options: {pid?: integer, path?: string}): bpflua.USDT
local USDT = {}

---bcc-lua's way to say `USDT{…}`: `USDT:new{…}`.
---@return bpflua.USDT
function USDT.new(first, options)
    return open(first == USDT and options or first)
end

---bcc-lua calls this at the end; there is nothing to free.
function USDT.cleanup() end

M.USDT = setmetatable(USDT, {
    __call = function(_, options)
        return open(options)
    end,
})

surface.add_methods("bpflua.USDTProbe", Probe, {
    noun = "USDT probe",
    is = function(value)
        return getmetatable(value) == probe_mt
    end,
})
surface.add_methods("bpflua.USDT", Usdt, { noun = "USDT object", is = is_context })
surface.add_functions("bpflua.USDTClass", USDT, "USDT", { new = true, cleanup = true })

return M
