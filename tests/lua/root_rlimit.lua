-- SPDX-License-Identifier: Apache-2.0
-- The limit of locked memory, which kernels before 5.11 count maps against: raised unless the script forbids it.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
    struct rlimit_limits { uint64_t soft, hard; };
    int getrlimit(int resource, struct rlimit_limits *limits);
    int setrlimit(int resource, const struct rlimit_limits *limits);
]])
local MEMLOCK, SMALL = 8, 4096
local TEXT = "BPF_HASH(unused, u64, u64, 65536);"

local function limits()
    local now = ffi.new("struct rlimit_limits")
    assert(ffi.C.getrlimit(MEMLOCK, now) == 0)
    return now
end

local before = limits()
assert(ffi.C.setrlimit(MEMLOCK, ffi.new("struct rlimit_limits", SMALL, before.hard)) == 0)

local ok, err = pcall(function() BPF({ text = TEXT, allow_rlimit = false }):cleanup() end)

t.test("it stays when the script says so", function()
    t.equal(limits().soft, 0ULL + SMALL)
    -- Without a failure the kernel counts the memory elsewhere: to the control group.
    if not ok then
        t.contains(err, "cannot create map `unused`")
        t.contains(err, "EPERM")
        t.contains(err, "RLIMIT_MEMLOCK")
    end
end)

t.test("it is raised when a map needs that", function()
    BPF({ text = TEXT, allow_rlimit = true }):cleanup()
    t.equal(limits().soft > SMALL, not ok)
end)

ffi.C.setrlimit(MEMLOCK, before)
