-- SPDX-License-Identifier: Apache-2.0
-- A program that runs at this process's calls of getpgid(), and the call: for what a program in the kernel does with a map.

local ffi = require("ffi")

ffi.cdef("int getpid(void); long syscall(long number, ...);")

local NUMBER = { x64 = 121, arm64 = 155 }
local GETPGID = NUMBER[jit.arch]

local M = {}

---A text in which `ON_GETPGID` begins the body of a program that runs at each getpgid of this process alone; the text
---ends the body.
---@param text string
---@return string
function M.on(text)
    return (text:gsub("ON_GETPGID", ([[
RAW_TRACEPOINT_PROBE(sys_enter) {
    if (bpf_get_current_pid_tgid() >> 32 != %d || ctx->args[1] != %d)
        return 0;]]):format(ffi.C.getpid(), GETPGID)))
end

---Calls it.
function M.call()
    ffi.C.syscall(GETPGID, 0)
end

return M
