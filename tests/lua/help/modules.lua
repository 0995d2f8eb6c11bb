-- SPDX-License-Identifier: Apache-2.0
-- Kernel modules that a test takes, for virtual machines in which nothing loads them by itself; and what a kernel has.

local M = {}

local function run(command)
    local pipe = io.popen(command)
    local text = pipe:read("*a")
    pipe:close()
    return text
end

---Loads kernel modules that are not loaded. What is built in, or cannot be had, is left to the test to find out.
function M.load(...)
    for _, name in ipairs({ ... }) do
        local find = "find /lib/modules/$(uname -r) -name '%s.ko*' 2>/dev/null | head -1"
        local file = run(find:format(name)):match("%S+")
        if file then
            os.execute(("busybox insmod %s 2>/dev/null || insmod %s 2>/dev/null"):format(file, file))
        end
    end
end

---Whether this kernel module is loaded and has types.
function M.has_btf(name)
    local file = io.open("/sys/kernel/btf/" .. name)
    if file then
        file:close()
    end
    return file ~= nil
end

local function mentions(types, name)
    local file = assert(io.open("/sys/kernel/btf/" .. types, "rb"))
    local bytes = file:read("*a")
    file:close()
    return bytes:find("\0" .. name .. "\0", 1, true) ~= nil
end

---The reason, when the kernel's types have none of this name.
function M.lacks_type(name, reason)
    return not mentions("vmlinux", name) and reason
end

---The reason, when a loaded module's types have no function of this name.
function M.module_lacks(module, name)
    return not mentions(module, name) and ("the kernel module `%s` has no `%s`"):format(module, name)
end

return M
