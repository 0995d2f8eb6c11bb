-- SPDX-License-Identifier: Apache-2.0
-- The kernel's trace pipe for a test alone: two readers take each other's lines. The lock is the one that the tests in Rust hold.

local ffi = require("ffi")

ffi.cdef("int open(const char *path, int flags, ...); int flock(int fd, int operation);")

local M = {}

---Waits until no other test reads the pipe; holds it until this process ends.
function M.hold()
    local path = (os.getenv("TMPDIR") or "/tmp") .. "/bpflua-test.trace-pipe"
    local fd = ffi.C.open(path, 66, ffi.cast("int", 420)) -- O_RDWR | O_CREAT
    assert(fd >= 0 and ffi.C.flock(fd, 2) == 0, "cannot lock " .. path) -- LOCK_EX
end

return M
