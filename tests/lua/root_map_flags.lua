-- SPDX-License-Identifier: Apache-2.0
-- Flags of the C text are the map's in the kernel.

local t = require("harness")

local b = BPF({ text = [[
BPF_F_TABLE("lru_hash", int, u64, lru, 1024, BPF_F_NO_COMMON_LRU);
BPF_F_TABLE("hash", int, u64, thrifty, 1024, BPF_F_NO_PREALLOC);
BPF_F_TABLE("array", int, u64, read_only, 4, BPF_F_RDONLY_PROG);
BPF_HASH(plain);
]] })

-- The flags as the kernel tells them of a descriptor.
local function in_kernel(map)
    for line in io.lines(("/proc/self/fdinfo/%d"):format(map:get_fd())) do
        local flags = line:match("^map_flags:%s+(%S+)")
        if flags then
            return tonumber(flags)
        end
    end
end

for name, flags in pairs({ lru = 2, thrifty = 1, read_only = 128, plain = 0 }) do
    t.test(("flags of the map `%s`"):format(name), function()
        t.equal(b[name].flags, flags)
        t.equal(in_kernel(b[name]), flags)
    end)
end
