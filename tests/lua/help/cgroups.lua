-- SPDX-License-Identifier: Apache-2.0
-- A control group of version 2 for a test, with this process in it while a function runs.

local ffi = require("ffi")
ffi.cdef([[
    int mkdir(const char *path, unsigned int mode);
    int rmdir(const char *path);
    int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
]])

local M = {}

local function root()
    for line in io.lines("/proc/self/mounts") do
        local folder = line:match("^%S+ (%S+) cgroup2 ")
        if folder then
            return folder
        end
    end
    local folder = os.tmpname()
    os.remove(folder)
    ffi.C.mkdir(folder, 448)
    assert(ffi.C.mount("none", folder, "cgroup2", 0, nil) == 0, "cannot mount control groups")
    return folder
end

local function write(path, text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
end

M.root = root()

---A new group of this name.
function M.make(name)
    local folder = M.root .. "/" .. name
    ffi.C.rmdir(folder)
    assert(ffi.C.mkdir(folder, 493) == 0, "cannot make " .. folder)
    return folder
end

function M.remove(folder)
    assert(ffi.C.rmdir(folder) == 0, "cannot remove " .. folder)
end

---Calls a function with this process in the group; gives what it gives.
function M.within(folder, body)
    write(folder .. "/cgroup.procs", "0")
    local results = { pcall(body) }
    write(M.root .. "/cgroup.procs", "0")
    assert(results[1], results[2])
    return unpack(results, 2)
end

return M
