-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Names of the system's numbers (errnos, signals, system calls), and the time of kernel time stamps.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local native = require("bpflua.native")
local posix = require("bpflua.posix")

ffi.cdef([[const char *bpflua_sigabbrev(int signal) __asm__("sigabbrev_np");]])

local M = {}

-- The first real-time signal as the kernel counts, and the last.
local SIGRTMIN, SIGRTMAX = 32, 64

---The name of an errno, with or without its minus: 2 and -2 are "ENOENT".
---@param errno integer|ffi.cdata* a number, also a negative one
---@return string
function M.errno_name(errno)
    return native.kernel.errno_name(errors.number("errno_name", "errno", errno, "i32"))
end

---What an errno means, in words.
---@param errno integer|ffi.cdata* a number, also a negative one
---@return string
function M.strerror(errno)
    return native.kernel.errno_words(errors.number("strerror", "errno", errno, "i32"))
end

---The name of a signal: 9 is "SIGKILL".
---@param signal integer|ffi.cdata* a number
---@return string
function M.signal_name(signal)
    local number = errors.number("signal_name", "signal", signal, "i32")
    local name = ffi.C.bpflua_sigabbrev(number)
    if name ~= nil then
        return "SIG" .. ffi.string(name)
    elseif number >= SIGRTMIN and number <= SIGRTMAX then
        return number == SIGRTMIN and "SIGRTMIN" or ("SIGRTMIN+%d"):format(number - SIGRTMIN)
    end
    return tostring(number)
end

---The name of a system call of this machine's: 0 is "read" on x86-64.
---@param number integer|ffi.cdata* of a system call of this machine
---@return string "[unknown: 9999]" for one that there is not
function M.syscall_name(number)
    number = errors.number("syscall_name", "number", number)
    local name = number >= 0 and native.kernel.syscall_name(number)
    return name or ("[unknown: %d]"):format(number)
end

---The numbers of the processors that are online.
---@return integer[]
function M.get_online_cpus()
    return native.kernel.online_cpus()
end

---The numbers of the processors that this machine may have: a value of a per-CPU map has one for each.
---@return integer[]
function M.get_possible_cpus()
    return native.kernel.possible_cpus()
end

---The time of `bpf_ktime_get_ns`.
---@return ffi.cdata* uint64_t nanoseconds
function M.monotonic_time()
    return ffi.cast("uint64_t", posix.time_ns(posix.CLOCK.MONOTONIC))
end

-- Wall time less monotonic time, in seconds. Asked anew each time: the wall clock may be set.
local function wall_offset()
    return (posix.time_ns(posix.CLOCK.REALTIME) - posix.time_ns(posix.CLOCK.MONOTONIC)) / 1e9
end

---The wall time of a time stamp, as `os.date` formats it; `%N` is its nanoseconds, `%L` its milliseconds.
---@param fmt string such as "%H:%M:%S.%L"
---@param ktime_ns? number|ffi.cdata* of `bpf_ktime_get_ns`; nil: now
---@return string
function M.strftime(fmt, ktime_ns)
    if type(fmt) ~= "string" then
        errors.arguments("strftime", { "fmt", "string!" }, fmt)
    end
    local seconds = ktime_ns ~= nil and errors.number("strftime", "ktime_ns", ktime_ns, "number") / 1e9 + wall_offset() or posix.time_ns(posix.CLOCK.REALTIME) / 1e9
    local whole = math.floor(seconds)
    local nanoseconds = math.floor((seconds - whole) * 1e9)
    fmt = fmt:gsub("%%([%%NL])", {
        N = ("%09d"):format(nanoseconds),
        L = ("%03d"):format(math.floor(nanoseconds / 1e6)),
    })
    return os.date(fmt, whole)
end

return M
