-- SPDX-License-Identifier: Apache-2.0
-- Names of a program that was stripped, from its debug file: found by a link in the program, or by its build ID. And names
-- of the kernel, against its own list.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")

t.test("the address of a kernel function", function()
    local address = BPF.ksymname("__kmalloc_noprof")
    if address == -1 then
        address = BPF.ksymname("__kmalloc") -- its name before Linux 6.10
    end
    t.equal(ffi.istype("uint64_t", address), true)
    t.equal(address > 0xffff800000000000ULL, true)
end)

t.test("the name of a kernel address", function()
    -- The first function of the list, and all that are at the same place.
    local first, names = nil, {}
    for line in io.lines("/proc/kallsyms") do
        local address, name = line:match("^(%x+) [tT] (%S+)")
        first = first or address
        if address and address == first then
            names[name] = true
        end
    end
    t.equal(names[BPF.ksym("0x" .. first)], true)
end)

local SOURCE = [[
#include <stdio.h>
#include <unistd.h>
namespace outer {
    static __attribute__((noinline)) int inner(int x, int y)
    {
        volatile int z = x + y;
        return z;
    }
}
int main(void)
{
    char line[64];

    printf("%d\n", getpid());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        printf("%p %d\n", (void *)&outer::inner, outer::inner(42, 11));
        fflush(stdout);
    }
    return 0;
}
]]
local MANGLED, NAME = "_ZN5outerL5innerEii", "outer::inner(int, int)"

-- Strips a program of its symbols once they are in `debug`.
local function strip(path, debug)
    programs.run(("objcopy --only-keep-debug %s %s"):format(path, debug))
    programs.run("strip " .. path)
end

local function check(folder, prepare, flags)
    local path = folder .. "/program"
    programs.compile(path, SOURCE, flags, "c++")
    prepare(path)
    t.equal(programs.run(("nm %s 2>&1 || :"):format(path)):find(MANGLED), nil)
    local process = programs.serve(path, folder)
    local address = require("bpflua.posix").tonumber64(process:ask("where"):match("0x(%x+) 53"), 16)
    local cache = BPF.SymbolCache(process.pid)
    local found = { by_address = { cache:resolve(address, false) }, demangled = { cache:resolve(address) } }
    local of_name, of_any = cache:resolve_name(path, MANGLED), cache:resolve_name(MANGLED)
    process:close()
    return found, of_name, of_any, address, path
end

local function by_address(found, path)
    for name, answer in pairs({ [MANGLED] = found.by_address, [NAME] = found.demangled }) do
        t.equal(answer[1], name)
        t.equal(answer[2], 0)
        t.equal(answer[3], path)
    end
end

local lacking = programs.lacking("g++", "objcopy", "strip", "nm")

local function by_link(folder)
    return check(folder, function(path)
        strip(path, path .. ".debug")
        programs.run(("objcopy --add-gnu-debuglink=%s.debug %s"):format(path, path))
    end)
end

local ID = "123456789abcdef0123456789abcdef012345678"
local DEBUG_FOLDER = "/usr/lib/debug/.build-id/12"

local function by_build_id(folder)
    local made = os.execute("test -e " .. DEBUG_FOLDER) ~= true
    local file = ("%s/%s.debug"):format(DEBUG_FOLDER, ID:sub(3))
    local results = { pcall(check, folder, function(path)
        programs.run("mkdir -p " .. DEBUG_FOLDER)
        strip(path, file)
    end, "-Wl,--build-id=0x" .. ID) }
    os.remove(file)
    if made then
        os.execute("rmdir -p " .. DEBUG_FOLDER .. " 2>/dev/null")
    end
    assert(results[1], results[2])
    return unpack(results, 2)
end

ffi.cdef("int setenv(const char *name, const char *value, int overwrite); int unsetenv(const char *name);")

-- In a folder that an environment variable names: `place` tells where in it the debug file is.
local function by_variable(variable, place)
    return function(folder)
        local root = folder .. "/named"
        ffi.C.setenv(variable, root, 1)
        local results = { pcall(check, folder, function(path)
            local file = root .. place(path)
            programs.run("mkdir -p " .. file:match("^(.*)/"))
            strip(path, file)
        end, "-Wl,--build-id=0x" .. ID) }
        ffi.C.unsetenv(variable)
        assert(results[1], results[2])
        return unpack(results, 2)
    end
end

local function by_id()
    return ("/.build-id/12/%s.debug"):format(ID:sub(3))
end

local function same_path(path)
    return path
end

local WAYS = {
    ["a debug link"] = by_link,
    ["a build ID"] = by_build_id,
    BCC_DEBUGINFO_ROOT = by_variable("BCC_DEBUGINFO_ROOT", by_id),
    BCC_SYMFS = by_variable("BCC_SYMFS", same_path),
}
for how, build in pairs(WAYS) do
    t.test_unless(lacking, how .. ": the name of an address", function()
        programs.in_folder(function(folder)
            local found, _, _, _, path = build(folder)
            by_address(found, path)
        end)
    end)
    t.test_unless(lacking, how .. ": the address of a name", function()
        programs.in_folder(function(folder)
            local _, of_name, of_any, address = build(folder)
            t.equal(of_name, address)
            t.equal(of_any, address)
        end)
    end)
end

t.test_unless(lacking, "without its debug file it has no name", function()
    programs.in_folder(function(folder)
        local found, of_name = check(folder, function(path) programs.run("strip " .. path) end)
        t.equal(found.by_address[1] == MANGLED, false)
        t.equal(of_name, -1)
    end)
end)
