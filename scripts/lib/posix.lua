-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `utils.posix`: clocks, sleep, processors, 64-bit numbers from text.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")

-- In a struct of our own name: scripts declare `struct timespec` themselves.
ffi.cdef([[
struct bpflua_timespec { long sec; long nsec; };
int bpflua_clock_gettime(int clock, struct bpflua_timespec *time) __asm__("clock_gettime");
int bpflua_get_nprocs(void) __asm__("get_nprocs");
uint64_t bpflua_strtoull(const char *text, char **end, int base) __asm__("strtoull");
]])

---@class bpflua.posix
local M = {}

---The kernel's numbers of its clocks (`linux/time.h`).
M.CLOCK = {
    REALTIME = 0,
    MONOTONIC = 1,
    PROCESS_CPUTIME_ID = 2,
    THREAD_CPUTIME_ID = 3,
    MONOTONIC_RAW = 4,
    REALTIME_COARSE = 5,
    MONOTONIC_COARSE = 6,
}

local now = ffi.new("struct bpflua_timespec[1]")

---The time of a clock.
---@param clock? integer of `CLOCK`, default MONOTONIC_RAW; MONOTONIC is the one of `bpf_ktime_get_ns`
---@return number nanoseconds
function M.time_ns(clock)
    if clock ~= nil then
        errors.arguments("time_ns", { "clock", "i32" }, clock)
    end
    if ffi.C.bpflua_clock_gettime(clock or M.CLOCK.MONOTONIC_RAW, now) ~= 0 then
        local errno = ffi.errno()
        errors.fail({
            what = ("cannot read clock %s"):format(tostring(clock)),
            why = native.kernel.errno_words(errno),
            errno = errno,
        })
    end
    return tonumber(now[0].sec) * 1e9 + tonumber(now[0].nsec)
end

---Waits. Handlers and timers of the script run meanwhile; Ctrl-C ends the wait.
---@param seconds number fractions count
---@param clock? integer accepted as in bcc-lua; time is the monotonic clock's
---@return boolean whole false when it was cut short
function M.sleep(seconds, clock)
    errors.arguments("sleep", { "seconds", "seconds!", "clock", "i32" }, seconds, clock)
    return BPF.sleep(seconds)
end

---Processors that are online.
---@return integer
function M.cpu_count()
    return ffi.C.bpflua_get_nprocs()
end

local ERANGE = 34
local ends = ffi.new("char *[1]")

---A number of 64 bits from its digits; nil when the text is none, or more.
---@param text string
---@param base integer
---@return ffi.cdata*? uint64_t
function M._parse64(text, base)
    ffi.errno(0)
    local bytes = ffi.cast("const char *", text)
    local number = ffi.C.bpflua_strtoull(bytes, ends, base)
    local is_whole = #text > 0 and ends[0] - bytes == #text
    return is_whole and ffi.errno() ~= ERANGE and number or nil
end

---A number of 64 bits from its digits. One below zero is what its bits are without a sign.
---@param text string digits
---@param base? integer 2 to 36, default 10; 0 lets `0x` and `0` decide
---@return ffi.cdata* uint64_t
function M.tonumber64(text, base)
    errors.arguments("tonumber64", { "text", "string!", "base", "u8" }, text, base)
    base = base or 10
    if base == 1 or base > 36 then
        errors.fail({ what = "argument `base` of `tonumber64` is " .. base, why = "it must be 0, or a number from 2 to 36" })
    end
    local number = M._parse64(text, base)
    if not number then
        errors.fail({ what = ("`tonumber64` does not take %q"):format(text), why = ("it is no number of 64 bits to the base %d"):format(base) })
    end
    return number
end

require("bpflua.surface").add_functions("bpflua.posix", M)

return M
