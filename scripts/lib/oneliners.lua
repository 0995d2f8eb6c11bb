-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- One-liners: what people type most, a word each. `BPF.count` and so on in scripts; in a `-e` text and at the prompt the
-- words by themselves.

local M = {}

-- What does the work is loaded when it is first wanted.
local function worker()
    return require("bpflua.oneliner_run")
end

---Counts how often probes are hit, by any number of keys: `count("kprobe:vfs_*", "comm")`. Names of keys are `comm`, `pid`,
---`tid`, `ppid`, `uid`, `gid`, `cpu`, `cgroup`, `probe`, `func`, `kstack`, `ustack`, the arguments of functions (by name, or
---`arg0` to `arg5`), `retval`, the fields of tracepoints, and members behind them: `file.f_path.dentry.d_name.name`.
---`str(arg0)` is the text that a number points to; a field that is called like one of the first is `args.pid`.
---@param probe string|string[] in bpftrace's spelling, with wildcards: `kprobe:FUNCTION`, `tracepoint:CATEGORY:EVENT` …; several apart by commas, or as a list
---@param ... string|bpflua.OnelinerOptions? keys, then options
---@return bpflua.Oneliner
function M.count(probe, ...)
    return worker().count("count", probe, ...)
end

---The distribution of a number in powers of two, by keys: `hist("kretprobe:vfs_read", "retval", "comm")`.
---@param probe string|string[]
---@param value string a name as of `count`, or a C expression over such names: `"args.len / 1024"`
---@param ... string|bpflua.OnelinerOptions? keys, then options
---@return bpflua.Oneliner
function M.hist(probe, value, ...)
    return worker().hist(probe, value, ...)
end

---Counts the stacks that lead to probes: of the kernel, for user probes those of the process; by further keys, of which
---`kstack` or `ustack` may be one. `stacks("tracepoint:sched:sched_switch", "comm", {top = 10})`.
---@param probe string|string[]
---@param ... string|bpflua.OnelinerOptions? keys, then options
---@return bpflua.Oneliner
function M.stacks(probe, ...)
    return worker().count("stacks", probe, ...)
end

---Prints a line for each event, with any number of values: `trace("tracepoint:syscalls:sys_enter_openat", "filename")`.
---Without names, all fields of the probe.
---@param probe string|string[]
---@param ... string|bpflua.OnelinerOptions|fun(event: table)? values; then options, or a function that gets each event
---@return bpflua.Oneliner
function M.trace(probe, ...)
    return worker().trace(probe, ...)
end

---The distribution of how long calls take, by keys: `latency("vfs_read")`, `latency("uprobe:c:malloc", "comm")`,
---`latency("tracepoint:syscalls:sys_enter_openat")`. Keys are those of the beginning, and `retval`.
---@param probe string|string[] a kernel function, or a probe at either end of what is timed
---@param ... string|bpflua.OnelinerOptions? keys, then options; `units` is "ns", "us" (the default), "ms" or "s"
---@return bpflua.Oneliner
function M.latency(probe, ...)
    return worker().latency(probe, ...)
end

return M
