-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `b:test_run{…}`: a program runs on data of the script's own, attached to nothing.

local errors = require("bpflua.errors")
local ffi = require("ffi")
local native = require("bpflua.native")

local M = {}

local OPTIONS = {
    fn_name = "string!",
    data_in = "string|cdata",
    ctx_in = "string|cdata",
    times = "u32",
    cpu = "u32",
    live_frames = "boolean",
}

local function bytes(name, value)
    if type(value) ~= "cdata" then
        return value
    end
    local ok, text = pcall(ffi.string, value, ffi.sizeof(value))
    if not ok then
        errors.fail({
            what = ("option `%s` of `test_run` is a %s"):format(name, errors.type_name(value)),
            why = "it must be a string, a C array or a struct",
        })
    end
    return text
end

---@class bpflua.TestRun
---@field retval integer what the program returned, as an unsigned 32-bit number
---@field data_out string the packet as the program left it (flow_dissector: its flow keys)
---@field ctx_out string the context as the program left it
---@field duration integer nanoseconds that one run took, on average

---Runs a program once without attaching it. The kernel does this for programs on packets (XDP, tc, socket filters,
---cgroup_skb, sk_lookup, flow_dissector, netfilter), for `SEC("syscall")`, raw tracepoints, and fentry, fexit, fmod_ret. One that
---`load_func` has loaded as another kind than its section says is run as that.
---@param options {fn_name: string, data_in?: string|ffi.cdata*, ctx_in?: string|ffi.cdata*, times?: integer, cpu?: integer, live_frames?: boolean}
---`data_in`: the packet, from its Ethernet header; `ctx_in`: the context, where the kernel's own will not do; `times`: how
---often to run it (default 1); `cpu`: where (raw tracepoints); `live_frames`: XDP's verdict is carried out
---@return bpflua.TestRun
function M:test_run(options)
    options = errors.options("test_run", options, OPTIONS)
    local request = {}
    for name, value in pairs(options) do
        request[name] = bytes(name, value)
    end
    return native.test_run.run(self:_object(), request)
end

return M
