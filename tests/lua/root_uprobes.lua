-- SPDX-License-Identifier: Apache-2.0
-- Uprobes in a library and in a program, entry and return; in files that only a process sees; in a library that is laid
-- out in another way than usual.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")

ffi.cdef("int getpid(void); void malloc_stats(void);")

local COUNT = [[
BPF_HASH(calls, u32, u64);
int count(struct pt_regs *ctx)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    calls.increment(pid);
    return 0;
}
]]

local function attach_both(b, options)
    options.fn_name = "count"
    b:attach_uprobe(options)
    b:attach_uretprobe(options)
end

local function detach_both(b, options)
    options.fn_name = nil
    b:detach_uprobe(options)
    b:detach_uretprobe(options)
    t.equal(#b:probes(), 0)
end

t.test("a function of a library", function()
    local b, me = BPF({ text = COUNT }), ffi.C.getpid()
    local options = { name = "c", sym = "malloc_stats", pid = me }
    attach_both(b, options)
    -- It tells how much memory is used, on standard error.
    local null = "/dev/null"
    ffi.cdef("int dup(int fd); int dup2(int from, int to); int open(const char *path, int flags, ...); int close(int fd);")
    local kept, sink = ffi.C.dup(2), ffi.C.open(null, 1)
    ffi.C.dup2(sink, 2)
    ffi.C.malloc_stats()
    ffi.C.dup2(kept, 2)
    ffi.C.close(kept)
    ffi.C.close(sink)
    t.equal(b.calls[me], 2ULL)
    t.equal(b.calls:count(), 1)
    detach_both(b, options)
    b:cleanup()
end)

local lacking = programs.lacking()

t.test_unless(lacking, "a function of a program", function()
    programs.in_folder(function(folder)
        local program = programs.compile(folder .. "/program", [[
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) int twice(int n) { __asm__(""); return n * 2; }
int main(void) { printf("%d %d\n", twice(twice(5)), getpid()); return 0; }
]])
        local b = BPF({ text = COUNT })
        local options = { name = program, sym = "twice" }
        attach_both(b, options)
        local result, pid = programs.run(program):match("(%d+) (%d+)")
        t.equal(result, "20")
        t.equal(b.calls[tonumber(pid)], 4ULL)
        -- The place where a program begins is never returned from.
        detach_both(b, options)
        b.calls:clear()
        b:attach_uprobe({ name = program, sym = "_start", fn_name = "count" })
        pid = programs.run(program):match(" (%d+)")
        t.equal(b.calls[tonumber(pid)], 1ULL)
        b:cleanup()
    end)
end)

local LIBRARY = [[
__attribute__((visibility("default"), noinline)) int answer(int n) { __asm__(""); return n + 40; }
]]

t.test_unless(lacking or programs.lacking("unshare"), "a library in a mount namespace of the process", function()
    programs.in_folder(function(folder)
        local library = programs.compile(folder .. "/library.so", LIBRARY, "-shared -fPIC")
        local program = programs.compile(folder .. "/program", [[
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    char line[64];
    void *library = dlopen(argv[1], RTLD_NOW);
    int (*answer)(int) = library ? (int (*)(int))dlsym(library, "answer") : 0;

    printf("%d\n", answer ? getpid() : -1);
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        printf("%d\n", answer(2));
        fflush(stdout);
    }
    return 0;
}
]], "-ldl")
        -- Nobody else sees what is mounted there.
        local hidden = folder .. "/hidden"
        programs.run("mkdir " .. hidden)
        local steps = ("mount -t tmpfs none %s && cp %s %s/ && exec %s %s/library.so"):format(hidden, library, hidden, program, hidden)
        local process = programs.serve(("unshare --mount sh -c '%s'"):format(steps), folder)
        t.equal(process.pid > 0, true)
        t.equal(io.open(hidden .. "/library.so"), nil)
        local b = BPF({ text = COUNT })
        local options = { name = hidden .. "/library.so", sym = "answer", pid = process.pid }
        attach_both(b, options)
        t.equal(process:ask("go on"), "42")
        t.equal(b.calls[process.pid], 2ULL)
        detach_both(b, options)
        t.equal(process:ask("once more"), "42")
        t.equal(b.calls[process.pid], 2ULL)
        options.pid, options.fn_name = nil, "count"
        t.contains(t.fails(b.attach_uprobe, b, options), hidden .. "/library.so")
        process:close()
        b:cleanup()
    end)
end)

t.test_unless(lacking, "a library whose code is not at the start of its addresses", function()
    programs.in_folder(function(folder)
        local library = programs.compile(folder .. "/library.so", LIBRARY, "-shared -fPIC -Wl,-Ttext-segment,0x2000000")
        t.contains(programs.run(("nm -D %s || readelf -Ws %s"):format(library, library)), "000000000200")
        local b, me = BPF({ text = COUNT }), ffi.C.getpid()
        local options = { name = library, sym = "answer" }
        attach_both(b, options)
        ffi.cdef("int answer(int n);")
        t.equal(ffi.load(library).answer(2), 42)
        t.equal(b.calls[me], 2ULL)
        -- The names of addresses in it, likewise.
        local address = BPF.SymbolCache(me):resolve_name(library, "answer")
        t.equal(BPF.sym(address, me, true), "answer [library.so]")
        detach_both(b, options)
        b:cleanup()
    end)
end)
