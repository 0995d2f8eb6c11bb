-- SPDX-License-Identifier: Apache-2.0
-- The tool of `runtime/tools/memleak.lua` on a process that allocates as it is told, by each allocator of the C library.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")

ffi.cdef("int kill(int pid, int signal);")

local KINDS = { "malloc", "calloc", "realloc", "posix_memalign", "memalign", "aligned_alloc", "valloc", "pvalloc", "mmap" }
local ALLOCATE = {
    malloc = "malloc(size)",
    calloc = "calloc(size, 1)",
    realloc = "realloc(malloc(10), size)",
    posix_memalign = "posix_memalign(&got, 512, size) ? 0 : got",
    memalign = "memalign(512, size)",
    aligned_alloc = "aligned_alloc(512, size)",
    valloc = "valloc(size)",
    pvalloc = "pvalloc(size)",
    mmap = "mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)",
}

local pieces = { [[
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct { void *address; size_t size; int is_mapped; } kept[100];
static int count;
]] }
for _, kind in ipairs(KINDS) do
    pieces[#pieces + 1] = ("__attribute__((noinline)) void *leak_by_%s(size_t size) { void *got = 0; got = %s; return got; }\n"):format(kind, ALLOCATE[kind])
end
pieces[#pieces + 1] = [[
int main(void)
{
    char line[64], kind[32];
    size_t size;

    printf("%d\n", getpid());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        void *got = 0;
        if (sscanf(line, "%31s %zu", kind, &size) != 2)
            return 1;
]]
for _, kind in ipairs(KINDS) do
    pieces[#pieces + 1] = ('        if (!strcmp(kind, "%s")) got = leak_by_%s(size);\n'):format(kind, kind)
end
pieces[#pieces + 1] = [[
        if (got) {
            kept[count].address = got;
            kept[count].size = size;
            kept[count++].is_mapped = !strcmp(kind, "mmap");
        }
        if (!strcmp(kind, "none"))
            free(malloc(size));
        while (!strcmp(kind, "free") && count) {
            count--;
            if (kept[count].is_mapped)
                munmap(kept[count].address, kept[count].size);
            else
                free(kept[count].address);
        }
        printf("done\n");
        fflush(stdout);
    }
    return 0;
}
]]

local lacking = programs.lacking()
if lacking then
    return t.skip("memleak", lacking)
end

-- Lines of the tool's next report that begins after now; one that ran meanwhile may have missed what was done.
local function next_report(tool)
    local lines, headers = {}, 0
    for line in tool.lines do
        if line:find("outstanding allocations:", 1, true) then
            headers = headers + 1
            if headers == 3 then
                return table.concat(lines, "\n")
            end
        elseif headers == 2 then
            lines[#lines + 1] = line
        end
    end
    error("the tool ended: " .. table.concat(lines, "\n"))
end

programs.in_folder(function(folder)
    local path = programs.compile(folder .. "/leaker", table.concat(pieces), "-g -O0 -fno-builtin -fno-omit-frame-pointer")
    local process = programs.serve(path, folder)
    local bpflua = programs.run("readlink /proc/$PPID/exe"):match("%S+")
    local pipe = io.popen(("echo $$; exec %s ../runtime/tools/memleak.lua -p %d -T 30 0.1"):format(bpflua, process.pid))
    local tool = { lines = pipe:lines() }
    local pid = tonumber(tool.lines())
    t.equal(tool.lines(), ("Attached to process %d, Ctrl-C ends it"):format(process.pid))

    for i, kind in ipairs(KINDS) do
        t.test("leaks by " .. kind, function()
            -- No other allocation has this size.
            local size = 30000 + 512 * i
            t.equal(process:ask(("%s %d"):format(kind, size)), "done")
            local report = next_report(tool)
            t.contains(report, ("\t%d bytes in 1 allocations from stack\n\t\tleak_by_%s+0x"):format(size, kind))
            t.contains(report, "\t\tmain+0x")
        end)
    end

    t.test("two of one place are summed", function()
        t.equal(process:ask("malloc 30512"), "done")
        t.contains(next_report(tool), "\t61024 bytes in 2 allocations from stack\n\t\tleak_by_malloc+0x")
    end)

    t.test("what is given back is no leak", function()
        t.equal(process:ask("none 77777"), "done")
        t.equal(next_report(tool):find("77777"), nil)
        t.equal(process:ask("free 0"), "done")
        t.equal(next_report(tool):find("leak_by_"), nil)
    end)

    t.test("it ends by Ctrl-C", function()
        t.equal(ffi.C.kill(pid, 2), 0)
        for _ in tool.lines do end
        t.equal(pipe:close(), true)
        process:close()
    end)
end)
