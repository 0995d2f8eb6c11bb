-- SPDX-License-Identifier: Apache-2.0
-- What is written to descriptor 2 meanwhile: warnings of the compiler, and what the kernel missed.

local ffi = require("ffi")

ffi.cdef("int dup(int fd); int dup2(int from, int to); int open(const char *path, int flags, ...); int close(int fd);")

local M = {}

---Calls a function.
---@return string text what was written
---@return boolean ok whether the function did not fail
---@return any ... what it returned, or its error
function M.of(body, ...)
    local name = os.tmpname()
    io.stderr:flush()
    local kept, file = ffi.C.dup(2), ffi.C.open(name, 577, ffi.cast("int", 384))
    ffi.C.dup2(file, 2)
    local results = { pcall(body, ...) }
    io.stderr:flush()
    ffi.C.dup2(kept, 2)
    ffi.C.close(kept)
    ffi.C.close(file)
    local read = assert(io.open(name))
    local text = read:read("*a")
    read:close()
    os.remove(name)
    return text, unpack(results)
end

return M
