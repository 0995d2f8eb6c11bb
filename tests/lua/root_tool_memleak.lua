-- SPDX-License-Identifier: Apache-2.0
-- memleak: what a process does not give back is told by size, count and function; so is what the kernel keeps for open files.

local t = require("harness")
local programs = require("help.programs")
local stacks = require("help.stack_program")
local tool = require("help.tool")

local TEXT = [[
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((noinline)) void *leak_by_malloc(void) { void *got = malloc(30001); return got; }
__attribute__((noinline)) void *leak_by_calloc(void) { void *got = calloc(3, 10007); return got; }
__attribute__((noinline)) void *leak_by_realloc(void) { void *got = realloc(malloc(10), 30003); return got; }
__attribute__((noinline)) void *leak_by_memalign(void) { void *got = 0; return posix_memalign(&got, 512, 30004) ? 0 : got; }
__attribute__((noinline)) void *leak_by_mmap(void) { void *got = mmap(0, 40005, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return got; }

int main(void)
{
    static char line[64];
    printf("%d\n", getpid());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        static void *last;
        if (!strcmp(line, "leak\n")) {
            for (int i = 0; i < 2; i++)
                last = leak_by_malloc();
            leak_by_calloc(), leak_by_realloc(), leak_by_memalign(), leak_by_mmap();
            free(malloc(77777));
        } else {
            free(last);
        }
        printf("done\n");
        fflush(stdout);
    }
    return 0;
}
]]

-- The rows of the last report that is whole: each begins anew with the stack of least bytes.
local function leaks(rows, name)
    local found = {}
    for _, row in ipairs(stacks.holding(rows, { name })) do
        found[#found + 1] = row
    end
    return found[#found] or {}, found
end

t.test_unless(programs.lacking(), "a process", function()
    programs.in_folder(function(folder)
        local process = programs.serve(programs.compile(folder .. "/leaker", TEXT, "-O0 -fno-builtin -fno-omit-frame-pointer"), folder)
        local found = tool.run("memleak", { "--json", "-p", process.pid, "-o", 0, "-z", 30000, 0.5 }, function(running)
            t.equal(process:ask("leak"), "done")
            running:sees("leak_by_mmap")
            t.equal(process:ask("free"), "done")
            BPF.sleep(1.2)
        end)
        local rows = found:rows()
        for name, size in pairs({ leak_by_calloc = 30021, leak_by_realloc = 30003, leak_by_memalign = 30004, leak_by_mmap = 40005 }) do
            local last = leaks(rows, name)
            t.equal(last.value, size)
            t.equal(last.count, 1)
            t.equal(last.unit, "bytes")
        end
        -- Two of one function, then one is given back.
        local last, all = leaks(rows, "leak_by_malloc")
        t.equal(last.value, 30001)
        t.equal(last.count, 1)
        t.equal(all[1].value, 60002)
        t.equal(all[1].count, 2)
        assert(not found.out:find("77777", 1, true), "what was given back is no leak")

        found = tool.run("memleak", { "-p", process.pid, "--combined-only", "-a", "-t", "--sort", "count", "-T", "1", 0.5 }, function(running)
            t.equal(process:ask("leak"), "done")
            running:sees("bytes in %d+ allocations")
        end)
        t.contains(found.out, "Top 1 stacks with outstanding allocations:\n")
        assert(found.out:find("leak_by_malloc\n[^\n]*main\n.-        60002 bytes in 2 allocations\n"), found.out)
        assert(found.out:find("leaker +" .. process.pid .. " +alloc +0x%x+ +77777\n"), found.out)
        assert(found.out:find("leaker +" .. process.pid .. " +free +0x%x+ +77777\n"), found.out)
        process:close()
    end)
end)

t.test("the kernel: open files", function()
    local found = tool.run("memleak", { "--json", "-o", 0, "-T", 100000, 600 }, function()
        -- It keeps them until the tool has ended.
        tool.sh("perl -e 'my @files; for (1 .. 700) { open my $file, q(<), q(/dev/null); push @files, $file } exit if fork; close STDOUT; sleep 20' ")
    end)
    local count, bytes = 0, 0
    for _, row in ipairs(found:rows()) do
        local frames = table.concat(row.frames, " ")
        if frames:find("alloc_empty_file") and frames:find("open") then
            count, bytes = count + row.count, bytes + row.value
        end
    end
    assert(count >= 700 and count < 20000, count .. " files")
    assert(bytes >= 700 * 128 and bytes / count < 10000, bytes .. " bytes")
end)

t.test("what cannot be looked at", function()
    local found = tool.start("memleak", { "-p", "1", "-c", "true" }):finish(false)
    t.equal(found.status, 1)
    t.contains(found.err, "-p and -c exclude each other")
    found = tool.start("memleak", { "-c", "sleep 100", "--symbols-prefix", "no_", "1", "1" }):finish(false)
    t.equal(found.status, 1)
    t.contains(found.err, "cannot look at the allocator of `c`: it has no function `no_malloc`")
end)

t.test("a command, until it ends", function()
    local found = tool.start("memleak", { "-c", "perl -e 'print STDOUT qq(hello\\n); sleep 1'", 0.2 }):finish(false)
    t.equal(found.status, 0)
    t.contains(found.out, "Top ")
    t.contains(found.out, " has ended\n")
    t.contains(found.err, "hello\n")
end)
