-- SPDX-License-Identifier: Apache-2.0
-- symbols.lua COUNT: nanoseconds for an address of the kernel's and of this process's, the reading of tables included.
local ffi = require("ffi")
ffi.cdef("int getpid(void);")
local count = tonumber(arg[1])

local function address(digits)
    return tonumber(digits:sub(1, -9), 16) * 0x100000000ULL + tonumber(digits:sub(-8), 16)
end

local kernel = {}
for line in io.lines("/proc/kallsyms") do
    local digits, kind = line:match("^(%x+) (%a)")
    if #kernel < count and (kind == "t" or kind == "T") then
        kernel[#kernel + 1] = address(digits) + 1
    end
end
local user = {}
for line in io.lines("/proc/self/maps") do
    local first, last = line:match("^(%x+)%-(%x+) r%-xp .*/libc")
    if first then
        local from, size = address(first), tonumber(address(last) - address(first))
        for i = 1, count do
            user[i] = from + math.floor(size * ((i * 0.6180339887) % 1))
        end
    end
end

local function timed(name, addresses, resolve)
    local start, known = os.clock(), 0
    for i = 1, #addresses do
        if resolve(addresses[i]) ~= "[unknown]" then
            known = known + 1
        end
    end
    print(("%s %.3f"):format(name, (os.clock() - start) * 1e9 / #addresses))
    print(("known %s %d of %d"):format(name, known, #addresses))
end

local pid = ffi.C.getpid()
timed("kernel", kernel, function(addr) return BPF.ksym(addr) end)
timed("user", user, function(addr) return BPF.sym(addr, pid) end)
