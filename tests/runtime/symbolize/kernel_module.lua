-- SPDX-License-Identifier: Apache-2.0
-- A kernel module that is loaded after the kernel's symbols were read, and unloaded again.
-- Arguments: the kernel module's file, its name, one of its functions.

local file, name, fn = arg[1], arg[2], arg[3]

local function run(command)
    assert(os.execute(command) == true, command)
end

local function address_in_kallsyms()
    for line in io.lines("/proc/kallsyms") do
        local address, module = line:match("^(%x+) %a " .. fn .. "%s+%[(.*)%]$")
        if module == name then
            return address
        end
    end
end

assert(BPF.ksym(BPF.ksymname("vfs_read")) == "vfs_read")
assert(BPF.ksymname(fn) == -1)
run("busybox insmod " .. file)
local address = assert(address_in_kallsyms())
print(BPF.ksym("0x" .. address, true, true))
print(BPF.SymbolCache():resolve_name(name, fn) == BPF.ksymname(fn), bit.tohex(BPF.ksymname(fn)) == address)
run("busybox rmmod " .. name)
print(BPF.ksym("0x" .. address, true, true))
