-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of BPF objects for programs on packets, sockets and control groups that bcc leaves to others: traffic control,
-- control groups, maps of sockets, network namespaces, netfilter.

local errors = require("bpflua.errors")
local map = require("bpflua.map")
local native = require("bpflua.native")
local tables = require("bpflua.tables")

local M = {}

local TC = {
    fn_name = "string!",
    dev = "string!",
    direction = "string",
    priority = "u32",
    handle = "u32",
    mechanism = "string",
}
local CGROUP = { fn_name = "string!", path = "string", fd = "i32", type = "string|u32", flags = "u32" }
local SOCKMAP = { fn_name = "string!", map = "string|table!", type = "string|u32", flags = "u32" }
local NETNS = { fn_name = "string!", path = "string", fd = "i32", pid = "i32", type = "string|u32" }
local NETFILTER = {
    fn_name = "string!",
    family = "string",
    hook = "string!",
    priority = "i32",
    defragment = "boolean",
}

local function tc(of, options, spec)
    options = errors.options(of, options, spec)
    local copy = tables.copy(options)
    local direction = options.direction or "ingress"
    if direction ~= "ingress" and direction ~= "egress" then
        errors.fail({
            what = ("`%s` has no direction `%s`"):format(of, direction),
            why = "packets come (\"ingress\") or leave (\"egress\")",
        })
    end
    copy.egress = direction == "egress"
    return copy
end

---Attaches a function to the packets that come to a device or leave it, after the network code has taken them or before
---it lets go of them. Its result decides: `TC_ACT_OK`, `TC_ACT_SHOT` …
---@param options {fn_name: string, dev: string, direction?: "ingress"|"egress", priority?: integer, handle?: integer, mechanism?: "auto"|"tcx"|"clsact"}
---By a tcx link where the kernel has it (6.6), which goes with the process; else, or for a `priority` or `handle`, by a
---filter on the queueing discipline `clsact`, which is removed at the script's end
---@return bpflua.BPF self
function M:attach_tc(options)
    native.net.attach_tc(self:_object(), tc("attach_tc", options, TC))
    return self
end

---Detaches what `attach_tc` attached.
---@param options {dev: string, direction?: "ingress"|"egress", fn_name?: string}
---@return bpflua.BPF self
function M:detach_tc(options)
    native.net.detach_tc(self:_object(), tc("detach_tc", options, errors.optional_function(TC)))
    return self
end

-- The attachment that is meant: the option `type`, else what the function's section says.
local function attach_type(self, of, options, kind)
    if type(options.type) == "string" then
        return native.net.attach_type(options.type)
    elseif options.type then
        return options.type
    elseif not options.fn_name then
        errors.fail({ what = ("`%s` needs the option `fn_name` or the option `type`"):format(of) })
    end
    return native.net.attachment_of(self:_object(), options.fn_name, kind)
end

local function one_of(of, options, names)
    local given = 0
    for _, name in ipairs(names) do
        given = given + (options[name] ~= nil and 1 or 0)
    end
    if given ~= 1 then
        local list = "`" .. table.concat(names, "` or `") .. "`"
        errors.fail({ what = ("`%s` needs the option %s"):format(of, list), why = given == 0 and "none is given" or "just one of them" })
    end
end

local function cgroup(self, of, options, spec)
    options = errors.options(of, options, spec)
    one_of(of, options, { "path", "fd" })
    local copy = tables.copy(options)
    copy.attach_type = attach_type(self, of, options, "cgroup")
    return copy
end

---Attaches a function to what the processes of a control group (version 2) do: their packets, sockets, connections,
---devices, socket options, sysctls.
---@param options {fn_name: string, path?: string, fd?: integer, type?: string|integer, flags?: integer}
---the group by its folder or a descriptor of it; `type`: "ingress", "egress", "sock_create", "connect4", "sockops", "dev",
---"sysctl", "getsockopt" …, or one of `BPF.BPFAttachType`; default: what the function's section says
---@return bpflua.BPF self
function M:attach_cgroup(options)
    native.net.attach_func(self:_object(), cgroup(self, "attach_cgroup", options, CGROUP))
    return self
end

---Detaches what `attach_cgroup` attached.
---@param options {path?: string, fd?: integer, fn_name?: string, type?: string|integer}
---@return bpflua.BPF self
function M:detach_cgroup(options)
    native.net.detach_func(self:_object(), cgroup(self, "detach_cgroup", options, errors.optional_function(CGROUP)))
    return self
end

local function sockmap(self, of, options, spec)
    options = errors.options(of, options, spec)
    map.check_option(of, options.map)
    local copy = tables.copy(options)
    if type(options.map) == "table" then
        copy.fd, copy.map = options.map.fd, nil
    else
        copy.fd = self:get_table(options.map).fd
        copy.map = nil
    end
    copy.attach_type = attach_type(self, of, options, "sockmap")
    return copy
end

---Attaches a function to the data of the sockets in a map (`BPF_SOCKMAP`, `BPF_SOCKHASH`).
---@param options {fn_name: string, map: string|bpflua.Map, type?: string|integer}
---`type`: "sk_msg" for what is sent, "stream_parser", "stream_verdict" and "verdict" for what is received; default: what
---the function's section says
---@return bpflua.BPF self
function M:attach_sockmap(options)
    native.net.attach_func(self:_object(), sockmap(self, "attach_sockmap", options, SOCKMAP))
    return self
end

---Detaches what `attach_sockmap` attached.
---@param options {map: string|bpflua.Map, fn_name?: string, type?: string|integer}
---@return bpflua.BPF self
function M:detach_sockmap(options)
    native.net.detach_func(self:_object(), sockmap(self, "detach_sockmap", options, errors.optional_function(SOCKMAP)))
    return self
end

local function netns(self, of, options, spec)
    options = errors.options(of, options, spec)
    local copy = tables.copy(options)
    if options.path or options.fd or options.pid then
        one_of(of, options, { "path", "fd", "pid" })
    end
    if not options.fd then
        copy.path = options.path or ("/proc/%s/ns/net"):format(options.pid or "self")
    end
    copy.attach_type = attach_type(self, of, options, "netns")
    return copy
end

---Attaches a function to a network namespace: to the choice of a socket for a connection (`SEC("sk_lookup")`), or to the
---dissection of packets (`SEC("flow_dissector")`).
---@param options {fn_name: string, path?: string, fd?: integer, pid?: integer, type?: string|integer}
---the namespace of a process, of a file (`/run/netns/blue`) or a descriptor; default: this process's own
---@return bpflua.BPF self
function M:attach_netns(options)
    native.net.attach_func(self:_object(), netns(self, "attach_netns", options, NETNS))
    return self
end

---Detaches what `attach_netns` attached.
---@param options {fn_name?: string, path?: string, fd?: integer, pid?: integer, type?: string|integer}
---@return bpflua.BPF self
function M:detach_netns(options)
    native.net.detach_func(self:_object(), netns(self, "detach_netns", options, errors.optional_function(NETNS)))
    return self
end

local function netfilter(of, options, spec)
    options = errors.options(of, options, spec)
    local copy = tables.copy(options)
    copy.family = options.family or "ipv4"
    return copy
end

---Attaches a function (`SEC("netfilter")`) to a hook of netfilter in this network namespace. It returns 1 for packets that
---go on and 0 for those that are dropped.
---@param options {fn_name: string, hook: "prerouting"|"input"|"forward"|"output"|"postrouting", family?: "ipv4"|"ipv6", priority?: integer, defragment?: boolean}
---low priorities run first; two programs at a hook differ in it
---@return bpflua.BPF self
function M:attach_netfilter(options)
    native.net.attach_netfilter(self:_object(), netfilter("attach_netfilter", options, NETFILTER))
    return self
end

---Detaches what `attach_netfilter` attached.
---@param options {hook: string, family?: string, priority?: integer, fn_name?: string}
---@return bpflua.BPF self
function M:detach_netfilter(options)
    native.net.detach_netfilter(self:_object(), netfilter("detach_netfilter", options, errors.optional_function(NETFILTER)))
    return self
end

return M
