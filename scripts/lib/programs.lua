-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Functions of a C text that are loaded without being attached, and what they are attached to by hand: devices, sockets,
-- control groups, maps.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local objects = require("bpflua.objects")
local surface = require("bpflua.surface")

local M = {}

---@class bpflua.Function
---@field name string
---@field fd integer the program's descriptor
---@field bpf bpflua.BPF
---@field prog_type? integer|string as given to `load_func`
---@field sock? integer the packet socket of `attach_raw_socket`
local Function = {}
Function.__index = Function

function Function:__tostring()
    return ("function %s (%s)"):format(self.name, tostring(self.prog_type or "as its section says"))
end

---The next packet of the socket that `attach_raw_socket` opened, without waiting.
---@param max_bytes? integer of the packet at most (default: all of it)
---@return string? packet nil when there is none now
function Function:recv(max_bytes)
    errors.arguments("recv", { "max_bytes", "u32" }, max_bytes)
    if not self.socket then
        errors.fail({ what = ("cannot receive packets of `%s`"):format(self.name), why = "it has no raw socket" })
    end
    return native.net.receive(self.bpf:_object(), self.socket, max_bytes)
end

---Loads a function into the kernel without attaching it.
---@param name string a function of the C text
---@param prog_type? integer|string `BPF.SOCKET_FILTER`, `BPF.SCHED_CLS` …, or the name; default: what its section or its context says
---@param device? string the network device that is to run it, for devices that can
---@param attach_type? integer|string what it will be attached as (`BPF.BPFAttachType.CGROUP_SETSOCKOPT`), for types with several
---@return bpflua.Function
function M:load_func(name, prog_type, device, attach_type)
    if attach_type == -1 then
        attach_type = nil
    end
    errors.arguments("load_func", { "name", "string!", "prog_type", "u32|string", "device", "string", "attach_type", "u32|string" },
        name, prog_type, device, attach_type)
    device = device or rawget(self, "_device") or nil
    local key = table.concat({ name, tostring(prog_type), tostring(device), tostring(attach_type) }, "\0")
    local known = self._programs[key]
    if not known then
        local options = { prog_type = prog_type, attach_type = attach_type, device = device }
        local fd = native.programs.load(self:_object(), name, options)
        known = setmetatable({ name = name, fd = fd, bpf = self, prog_type = prog_type or false }, Function)
        known.sock, known.socket = false, false
        self._programs[key] = known
    end
    return known
end

---Loads every function of the C text.
---@param prog_type? integer|string the type of all of them, as for `load_func`; default: what each says
---@return bpflua.Function[]
function M:load_funcs(prog_type)
    errors.arguments("load_funcs", { "prog_type", "u32|string" }, prog_type)
    local all = {}
    for i, name in ipairs(native.object.functions(self:_object())) do
        all[i] = self:load_func(name, prog_type)
    end
    return all
end

-- ---------------------------------------------------------------- attaching by hand

local function is_object(value)
    return type(value) == "table" and rawget(value, "_handle") ~= nil and rawget(value, "_programs") ~= nil
end

local function is_function(value)
    return getmetatable(value) == Function
end

-- bcc has what follows as static methods, so it is called in four ways: on the class or on an object, with a dot or a colon.
-- Gives the object, or nil, and the arguments.
local function arguments(first, ...)
    if is_object(first) then
        return first, ...
    elseif first == package.loaded.bpf then
        return nil, ...
    end
    return nil, first, ...
end

-- The object that a function is of, and its name.
local function owner(of, object, fn)
    if is_function(fn) then
        return fn.bpf, fn.name
    elseif type(fn) == "string" and object then
        return object, fn
    end
    local why = "give what `load_func` returned" .. (object and ", or the function's name" or "")
    errors.fail({ what = ("`%s` needs a function, not a %s"):format(of, type(fn)), why = why })
end

-- A control group, network namespace or map: a descriptor, a path, or a map of the object.
local function place(of, where)
    if type(where) == "number" then
        return { fd = where }
    elseif type(where) == "string" then
        return { path = where }
    elseif type(where) == "table" and type(rawget(where, "fd")) == "number" then
        return { fd = where.fd }
    end
    errors.fail({ what = ("`%s` cannot attach to a %s"):format(of, type(where)), why = "give a descriptor, a path or a map" })
end

---Lets a packet socket see what a function says of each packet, and puts the socket's descriptor, which does not wait,
---into `fn.sock`; `fn:recv()` reads a packet. The socket is closed with the object.
---@param fn bpflua.Function|string a socket filter: its result is how many bytes of the packet are kept, 0 for none
---@param dev? string the device; "" or nil for all
---@return bpflua.Function fn
function M:attach_raw_socket(fn, dev)
    local object
    object, fn, dev = arguments(self, fn, dev)
    errors.arguments("attach_raw_socket", { "fn", "string|table!", "dev", "string" }, fn, dev)
    local bpf, name = owner("attach_raw_socket", object, fn)
    local probe, sock = native.net.attach_raw_socket(bpf:_object(), name, dev or "")
    fn = is_function(fn) and fn or bpf:load_func(name, "SOCKET_FILTER")
    fn.socket, fn.sock = probe, sock
    return fn
end

local XDP = { dev = "string!", fn_name = "string!", flags = "u32" }

---Attaches a function to the packets that come to a device, before the kernel's own network code. Positional, as in bcc, or
---with a table of options.
---@param dev string|{dev: string, fn_name: string, flags?: integer}
---@param fn bpflua.Function|string what `load_func` gave, or the name of a function of the C text
---@param flags? integer `BPF.XDP_FLAGS_…`: 1 only when the device has no program, 2 generic, 4 by the driver, 8 by the device
function M:attach_xdp(dev, fn, flags)
    local object
    object, dev, fn, flags = arguments(self, dev, fn, flags)
    if type(dev) == "table" then
        errors.options("attach_xdp", dev, XDP)
        dev, fn, flags = dev.dev, dev.fn_name, dev.flags
    end
    errors.arguments("attach_xdp", { "dev", "string!", "fn", "string|table!", "flags", "u32" }, dev, fn, flags)
    local bpf, name = owner("attach_xdp", object, fn)
    native.net.attach_xdp(bpf:_object(), { dev = dev, fn_name = name, flags = flags or 0 })
end

---Takes the XDP program off a device: this script's, else whichever is there and held by no link. That there is none is
---no error.
---@param dev string the network device
---@param flags? integer the mode, as for `attach_xdp`
function M:remove_xdp(dev, flags)
    local _
    _, dev, flags = arguments(self, dev, flags)
    errors.arguments("remove_xdp", { "dev", "string!", "flags", "u32" }, dev, flags)
    for _, object in ipairs(objects) do
        for _, probe in ipairs(object:probes()) do
            if probe.kind == "xdp" and probe.target == dev then
                return native.net.remove_xdp(object:_object(), dev, flags or 0)
            end
        end
    end
    native.net.remove_xdp_of_others(dev, flags or 0)
end

---Attaches a function to what a descriptor stands for: a control group, a map of sockets, a network namespace. By a link
---where the kernel has one, which goes with the process.
---@param fn bpflua.Function|string what `load_func` gave, or the name of a function of the C text
---@param where integer|string|bpflua.Map a descriptor, a path, or a map
---@param attach_type integer|string `BPF.BPFAttachType.…`
---@param flags? integer `BPF_F_ALLOW_OVERRIDE` 1, `BPF_F_ALLOW_MULTI` 2, `BPF_F_REPLACE` 4; without 1 and 4 beside others
function M:attach_func(fn, where, attach_type, flags)
    local object
    object, fn, where, attach_type, flags = arguments(self, fn, where, attach_type, flags)
    errors.arguments("attach_func", { "fn", "string|table!", "where", "i32|string|table!", "attach_type", "u32|string!", "flags", "u32" },
        fn, where, attach_type, flags)
    local bpf, name = owner("attach_func", object, fn)
    local options = place("attach_func", where)
    options.fn_name, options.attach_type, options.flags = name, attach_type, flags
    options.prog_type = is_function(fn) and fn.prog_type or nil
    native.net.attach_func(bpf:_object(), options)
end

---Detaches what `attach_func` attached.
---@param fn bpflua.Function|string what was attached
---@param where integer|string|bpflua.Map a descriptor, a path, or a map
---@param attach_type integer|string as it was attached
function M:detach_func(fn, where, attach_type)
    local object
    object, fn, where, attach_type = arguments(self, fn, where, attach_type)
    errors.arguments("detach_func", { "fn", "string|table!", "where", "i32|string|table!", "attach_type", "u32|string!" },
        fn, where, attach_type)
    local bpf, name = owner("detach_func", object, fn)
    local options = place("detach_func", where)
    options.fn_name, options.attach_type = name, attach_type
    native.net.detach_func(bpf:_object(), options)
end

surface.add_methods("bpflua.Function", Function, { noun = "function", is = is_function })

-- What is static in bcc: the class has it as well.
M.STATIC = { "attach_raw_socket", "attach_xdp", "remove_xdp", "attach_func", "detach_func" }

return M
