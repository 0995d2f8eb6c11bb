-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Methods of BPF objects that attach and detach. Every option table is checked here; the host does the rest.

local addresses = require("bpflua.addresses")
local constants = require("bpflua.constants")
local contract = require("bpflua.contract")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local tables = require("bpflua.tables")

local M = {}

local KPROBE = {
    event = "string|number|cdata",
    event_re = "string",
    event_off = "natural",
    fn_name = "string!",
    mechanism = "string",
    cookie = "number|cdata",
    -- bcc-lua's names
    fn_offset = "natural",
    retprobe = "boolean",
    maxactive = "u32",
}
local KRETPROBE = {
    event = "string|number|cdata",
    event_re = "string",
    fn_name = "string!",
    maxactive = "u32",
    mechanism = "string",
    cookie = "number|cdata",
}
local UPROBE = {
    name = "string!",
    sym = "string",
    sym_re = "string",
    addr = "natural|cdata",
    sym_off = "natural",
    pid = "i32",
    fn_name = "string!",
    retprobe = "boolean",
    cookie = "number|cdata",
}
local TRACEPOINT = { tp = "string", tp_re = "string", fn_name = "string!", cookie = "number|cdata" }
local RAW_TRACEPOINT = { tp = "string!", fn_name = "string!", cookie = "number|cdata" }
local DETACH_TRACEPOINT = { tp = "string!", fn_name = "string" }

local PERF_EVENT = {
    ev_type = "u32!",
    ev_config = "natural!",
    fn_name = "string!",
    sample_period = "natural",
    sample_freq = "natural",
    pid = "i32",
    cpu = "i32",
    group_fd = "i32",
    cookie = "number|cdata",
}
local PERF_EVENT_RAW = {
    attr = "table|cdata!",
    fn_name = "string!",
    pid = "i32",
    cpu = "i32",
    group_fd = "i32",
    cookie = "number|cdata",
}

local function with(of, options, extra)
    local copy = tables.copy(options, extra)
    copy.event_off = copy.event_off or copy.fn_offset
    copy.cookie = addresses.digits(of, copy.cookie, "cookie")
    if type(copy.addr) == "cdata" then
        copy.addr = tonumber(addresses.address(of, copy.addr, "addr"))
    end
    if copy.event and type(copy.event) ~= "string" then
        copy.address, copy.event = addresses.digits(of, copy.event, "event"), nil
    end
    return copy
end

---Attaches a function to the entry of kernel functions, by the cheapest mechanism that this kernel has for it.
---@param options {event?: string|integer|ffi.cdata*, event_re?: string, event_off?: integer, fn_offset?: integer, fn_name: string, mechanism?: "auto"|"fentry"|"kprobe_multi"|"kprobe"|"sys_enter", retprobe?: boolean, maxactive?: integer, cookie?: integer|ffi.cdata*}
---`event` is a name, or an address; `event_re` must match a function's whole name; `event_off` is in bytes from the function's start
---(default 0; `fn_offset` is bcc-lua's name of it); `mechanism` is "auto" unless `--mechanism` says otherwise; `retprobe` (default false) and `maxactive` (default 0) are
---those of `attach_kretprobe`; `cookie` is what `bpf_get_attach_cookie(ctx)` gives (5.15; a mechanism that carries none in
---this kernel is passed over). The kernel needs kprobes, or fentry (5.5)
---@return bpflua.BPF self
function M:attach_kprobe(options)
    options = errors.options("attach_kprobe", options, KPROBE)
    contract.check_quota("attach_kprobe")
    native.attach.kprobe(self:_object(), with("attach_kprobe", options, { retprobe = options.retprobe or false }))
    return self
end

---Attaches a function to the return of kernel functions.
---@param options {event?: string|integer|ffi.cdata*, event_re?: string, fn_name: string, maxactive?: integer, mechanism?: string, cookie?: integer|ffi.cdata*}
---`maxactive`: how many calls may be under way at once; 0 leaves it to the kernel
---@return bpflua.BPF self
function M:attach_kretprobe(options)
    options = errors.options("attach_kretprobe", options, KRETPROBE)
    native.attach.kprobe(self:_object(), with("attach_kretprobe", options, { retprobe = true }))
    return self
end

-- A cookie is a number of one attachment; several would have the same.
local function one_cookie(of, options, pattern)
    if options.cookie and options[pattern] then
        errors.fail({ what = ("cannot `%s` with `cookie` and `%s`"):format(of, pattern), why = "a cookie tells one attachment from others" })
    end
end

local function attach_uprobe(self, of, options, retprobe)
    one_cookie(of, options, "sym_re")
    local attach = options.sym_re and native.user.attach_matching or native.attach.uprobe
    attach(self:_object(), with(of, options, { retprobe = retprobe }))
    return self
end

---Attaches a function to a place in a program or library, or to all functions that match.
---@param options {name: string, sym?: string, sym_re?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name: string, retprobe?: boolean, cookie?: integer|ffi.cdata*}
---`name` is a path, a program in PATH, or a library ("c", "libc.so.6"); `sym_re` a regular expression that matches from a
---name's start; `addr` an address as `nm` shows it, or else an offset in the file; `sym_off` bytes behind `sym`: like `addr`, where
---an instruction begins; `cookie`, which `sym_re` takes none of, is what `bpf_get_attach_cookie(ctx)` gives (5.15)
---@return bpflua.BPF self
function M:attach_uprobe(options)
    options = errors.options("attach_uprobe", options, UPROBE)
    contract.check_quota("attach_uprobe")
    return attach_uprobe(self, "attach_uprobe", options, options.retprobe or false)
end

---Attaches a function to the return of a function in a program or library.
---@param options {name: string, sym?: string, sym_re?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name: string, cookie?: integer|ffi.cdata*}
---@return bpflua.BPF self
function M:attach_uretprobe(options)
    options = errors.options("attach_uretprobe", options, UPROBE)
    return attach_uprobe(self, "attach_uretprobe", options, true)
end

---Attaches a function to a tracepoint, or to all that match.
---@param options {tp?: string, tp_re?: string, fn_name: string, cookie?: integer|ffi.cdata*}
---`tp` is "category:event"; `tp_re` a regular expression that matches from its start; `cookie`, with `tp` only, is what
---`bpf_get_attach_cookie(ctx)` gives (5.15)
---@return bpflua.BPF self
function M:attach_tracepoint(options)
    options = errors.options("attach_tracepoint", options, TRACEPOINT)
    if (options.tp == nil) == (options.tp_re == nil) then
        errors.fail({
            what = "`attach_tracepoint` needs the option `tp` or the option `tp_re`",
            why = options.tp and "not both" or "none is given",
        })
    end
    one_cookie("attach_tracepoint", options, "tp_re")
    local attach = options.tp_re and native.attach.tracepoints or native.attach.tracepoint
    attach(self:_object(), with("attach_tracepoint", options, {}))
    return self
end

---Attaches a function to a raw tracepoint.
---@param options {tp: string, fn_name: string, cookie?: integer|ffi.cdata*}
---`tp` is the event without its category; `cookie` is what `bpf_get_attach_cookie(ctx)` gives (6.10)
---@return bpflua.BPF self
function M:attach_raw_tracepoint(options)
    options = errors.options("attach_raw_tracepoint", options, RAW_TRACEPOINT)
    native.attach.raw_tracepoint(self:_object(), with("attach_raw_tracepoint", options, {}))
    return self
end

---Attaches a function to samples of a perf event, on one CPU or on each that is online.
---@param options {ev_type: integer, ev_config: integer, fn_name: string, sample_period?: integer, sample_freq?: integer, pid?: integer, cpu?: integer, group_fd?: integer, cookie?: integer|ffi.cdata*}
---`ev_type` is one of `BPF.PerfType`, `ev_config` of `BPF.PerfSWConfig` or `BPF.PerfHWConfig`; a sample is taken once
---every `sample_period` events, or `sample_freq` times a second; `pid` limits it to a process and those it starts. `pid`, `cpu`
---and `group_fd` are -1 unless given: every process, every CPU that is online, no group; `cookie` is what
---`bpf_get_attach_cookie(ctx)` gives (5.15)
---@return bpflua.BPF self
function M:attach_perf_event(options)
    options = errors.options("attach_perf_event", options, PERF_EVENT)
    native.attach.perf_event(self:_object(), with("attach_perf_event", options, {}))
    return self
end

---Attaches a function to a perf event of which every attribute is given.
---@param options {attr: table|ffi.cdata*, fn_name: string, pid?: integer, cpu?: integer, group_fd?: integer, cookie?: integer|ffi.cdata*}
---`attr`: members of the kernel's `struct perf_event_attr` by name, or what `BPF.Perf.perf_event_attr()` made; `cookie` as for
---`attach_perf_event`
---@return bpflua.BPF self
function M:attach_perf_event_raw(options)
    options = errors.options("attach_perf_event_raw", options, PERF_EVENT_RAW)
    native.attach.perf_event(self:_object(), with("attach_perf_event_raw", options, { attr = constants.perf_attr_bytes(options.attr) }))
    return self
end

---Detaches what `attach_perf_event` or `attach_perf_event_raw` attached to this event.
---@param ev_type integer|{ev_type: integer, ev_config: integer}
---@param ev_config? integer as it was attached
---@return bpflua.BPF self
function M:detach_perf_event(ev_type, ev_config)
    local options = type(ev_type) == "table" and ev_type or { ev_type = ev_type, ev_config = ev_config }
    options = errors.options("detach_perf_event", options, { ev_type = "u32!", ev_config = "natural!" })
    native.attach.detach_perf_event(self:_object(), options)
    return self
end

---Detaches what `attach_kprobe` attached to this event.
---@param options {event: string, fn_name?: string} without `fn_name`: every function
---@return bpflua.BPF self
function M:detach_kprobe(options)
    options = errors.options("detach_kprobe", options, { event = "string!", fn_name = "string" })
    native.attach.detach_kprobe(self:_object(), options)
    return self
end

---Detaches what `attach_kretprobe` attached to this event.
---@param options {event: string, fn_name?: string}
---@return bpflua.BPF self
function M:detach_kretprobe(options)
    options = errors.options("detach_kretprobe", options, { event = "string!", fn_name = "string" })
    native.attach.detach_kprobe(self:_object(), with("detach_kretprobe", options, { retprobe = true }))
    return self
end

---Detaches what `attach_uprobe` attached with the same options.
---@param options {name: string, sym?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name?: string}
---@return bpflua.BPF self
function M:detach_uprobe(options)
    options = errors.options("detach_uprobe", options, errors.optional_function(UPROBE))
    native.attach.detach_uprobe(self:_object(), with("detach_uprobe", options, { retprobe = options.retprobe or false }))
    return self
end

---Detaches what `attach_uretprobe` attached with the same options.
---@param options {name: string, sym?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name?: string}
---@return bpflua.BPF self
function M:detach_uretprobe(options)
    options = errors.options("detach_uretprobe", options, errors.optional_function(UPROBE))
    native.attach.detach_uprobe(self:_object(), with("detach_uretprobe", options, { retprobe = true }))
    return self
end

---Detaches what `attach_tracepoint` attached to this tracepoint.
---@param options {tp: string, fn_name?: string}
---@return bpflua.BPF self
function M:detach_tracepoint(options)
    options = errors.options("detach_tracepoint", options, DETACH_TRACEPOINT)
    native.attach.detach_tracepoint(self:_object(), options)
    return self
end

---Detaches what `attach_raw_tracepoint` attached to this raw tracepoint.
---@param options {tp: string, fn_name?: string}
---@return bpflua.BPF self
function M:detach_raw_tracepoint(options)
    options = errors.options("detach_raw_tracepoint", options, DETACH_TRACEPOINT)
    native.attach.detach_raw_tracepoint(self:_object(), options)
    return self
end

---@class bpflua.Probe
---@field id integer for `b:detach`
---@field kind string kprobe, kretprobe, uprobe, uretprobe, usdt, tracepoint, raw_tracepoint, fentry, fexit, fmod_ret, lsm, tp_btf, iter, freplace, struct_ops, perf_event, xdp, tc, raw_socket, cgroup, sockmap, netns, netfilter …
---@field target string what was asked for
---@field resolved string[] what is really probed, when that differs
---@field fn_name string
---@field mechanism string how it is attached: fentry, kprobe_multi, kprobe, sys_enter, uprobe, uprobe_multi, link, tcx …; what stays after SIGKILL is `prog_attach`, `clsact` and `map_update`
---@field why string[] why not by a cheaper mechanism
---@field notes string[]
---@field places integer how many functions it probes: several for a regular expression
---@field runs number how often it ran, while kernel.bpf_stats_enabled is on
---@field missed number runs that the kernel left out

---What is attached, by which mechanism, and why not by a cheaper one.
---@return bpflua.Probe[]
function M:probes()
    return native.attach.probes(self:_object())
end

return M
