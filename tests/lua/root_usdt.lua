-- SPDX-License-Identifier: Apache-2.0
-- USDT probes of running processes: arguments of several types at several places, processes with different probes traced,
-- one probe in a program and in its libraries.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")

local lacking = programs.lacking() or ffi.arch ~= "x64" and "it is for x86-64"
local PROBE_H = " -I../fixtures/usdt"

-- `fire` runs once for each line that the program is told.
local function program(path, declarations, fire, flags)
    return programs.compile(path, ([[
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "probe.h"
%s
int main(int argc, char **argv)
{
    char line[64];
    int start = argc > 1 ? atoi(argv[1]) : 0;

    printf("%%d\n", getpid());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        %s
        printf("fired\n");
        fflush(stdout);
    }
    return start < 0;
}
]]):format(declarations, fire), (flags or "") .. PROBE_H)
end

-- Waits until so many events came; gives what was collected.
local function wait(b, list, count)
    local limit = os.time() + 60
    while #list < count and os.time() < limit do
        b:perf_buffer_poll(100)
    end
    -- One more than there should be would come soon.
    b:perf_buffer_poll(50)
    return list
end

t.test_unless(lacking, "arguments of several types, at several places", function()
    programs.in_folder(function(folder)
        local path = program(folder .. "/program", "static char bytes[100];\nstatic unsigned long long round;\n", [[
        for (int i = 0; i < 100; i++)
            bytes[i] = (i & 7) + (i & 6);
        char text[16];
        int small = 40, large = 200;
        PROBE_WITH("0", "test", "one", "-1@%0 -4@%1", "q"(bytes[7]), "r"(small));
        PROBE_WITH("0", "test", "three", "-4@%0 -4@%1", "r"(large), "m"(small));
        PROBE_WITH("0", "test", "one", "-1@%0 -4@%1", "m"(bytes[4]), "m"(large));
        PROBE_WITH("0", "test", "two", "-4@$5 -1@%0", "q"(bytes[10]));
        PROBE_WITH("0", "test", "three", "-1@%0 -1@%1", "q"(bytes[4]), "q"(bytes[7]));
        snprintf(text, sizeof(text), "str%llu", round);
        PROBE_WITH("0", "test", "four", "8@%0 8@%1", "r"(round), "r"(text));
        round++;
        snprintf(text, sizeof(text), "str%llu", round);
        PROBE_WITH("0", "test", "five", "8@%0 8@%1", "r"(text), "m"(round));
        round++;]])
        local process = programs.serve(path, folder)
        local u = USDT({ pid = process.pid })
        for _, name in ipairs({ "one", "two", "three", "four", "five" }) do
            u:enable_probe({ probe = name, fn_name = "on_" .. name })
        end
        local b = BPF({ usdt_contexts = { u }, text = [[
struct event_t { u32 probe; char c; int i, j; u64 number; char text[8]; };
BPF_PERF_OUTPUT(events);
#define PROBE(n, name, read) int on_##name(struct pt_regs *ctx) { \
    struct event_t e = { .probe = n }; \
    read \
    events.perf_submit(ctx, &e, sizeof(e)); \
    return 0; \
}
PROBE(1, one, bpf_usdt_readarg(1, ctx, &e.c); bpf_usdt_readarg(2, ctx, &e.i);)
PROBE(2, two, bpf_usdt_readarg(1, ctx, &e.i); bpf_usdt_readarg(2, ctx, &e.c);)
PROBE(3, three, bpf_usdt_readarg(1, ctx, &e.i); bpf_usdt_readarg(2, ctx, &e.j);)
PROBE(4, four, bpf_usdt_readarg(1, ctx, &e.number); bpf_usdt_readarg_p(2, ctx, &e.text, sizeof(e.text));)
PROBE(5, five, bpf_usdt_readarg_p(1, ctx, &e.text, sizeof(e.text)); bpf_usdt_readarg(2, ctx, &e.number);)
]] })
        local seen = {}
        b.events:open_perf_buffer(function(_, e)
            seen[#seen + 1] = ("%d: %d %d %d %d %s"):format(e.probe, e.c, e.i, e.j, e.number, ffi.string(e.text))
        end)
        for _ = 1, 3 do
            process:ask("fire")
        end
        wait(b, seen, 21)
        local wanted = {}
        for round = 0, 2 do
            for _, line in ipairs({
                "1: 13 40 0 0 ", "1: 8 200 0 0 ", "2: 4 5 0 0 ", "3: 0 200 40 0 ", "3: 0 8 13 0 ",
                ("4: 0 0 0 %d str%d"):format(2 * round, 2 * round), ("5: 0 0 0 %d str%d"):format(2 * round + 1, 2 * round + 1),
            }) do
                wanted[#wanted + 1] = line
            end
        end
        table.sort(seen)
        table.sort(wanted)
        t.equal(table.concat(seen, "\n"), table.concat(wanted, "\n"))
        process:close()
        b:cleanup()
    end)
end)

t.test_unless(lacking, "processes of one program with different probes traced", function()
    programs.in_folder(function(folder)
        local path = program(folder .. "/program", "", [[
        PROBE_WITH("0", "test", "point_1", "-4@%0", "r"(start));
        PROBE_WITH("0", "test", "point_2", "-4@%0", "r"(start + 1));
        PROBE_WITH("0", "test", "point_3", "-4@%0", "r"(start + 2));]])
        local one, two, three = programs.serve(path .. " 1", folder), programs.serve(path .. " 11", folder), programs.serve(path .. " 21", folder)
        local u1, u2 = USDT({ pid = one.pid }), USDT({ pid = two.pid })
        u1:enable_probe({ probe = "point_1", fn_name = "on_1" })
        u1:enable_probe({ probe = "point_2", fn_name = "on_2" })
        u2:enable_probe({ probe = "point_2", fn_name = "on_2" })
        u2:enable_probe({ probe = "point_3", fn_name = "on_3" })
        local b = BPF({ usdt_contexts = { u1, u2 }, cflags = { "-DFIRST=" .. one.pid }, text = [[
struct event_t { int value; u32 point, first; };
BPF_PERF_OUTPUT(events);
#define POINT(n) int on_##n(struct pt_regs *ctx) { \
    struct event_t e = { .point = n, .first = bpf_get_current_pid_tgid() >> 32 == FIRST }; \
    bpf_usdt_readarg(1, ctx, &e.value); \
    events.perf_submit(ctx, &e, sizeof(e)); \
    return 0; \
}
POINT(1) POINT(2) POINT(3)
]] })
        local seen = {}
        b.events:open_perf_buffer(function(_, e)
            seen[#seen + 1] = ("point %d in %s: %d"):format(e.point, e.first == 1 and "the first" or "another", e.value)
        end)
        for _, process in ipairs({ three, two, one }) do
            process:ask("fire")
        end
        wait(b, seen, 4)
        table.sort(seen)
        t.equal(table.concat(seen, ", "),
            "point 1 in the first: 1, point 2 in another: 12, point 2 in the first: 2, point 3 in another: 13")
        for _, process in ipairs({ one, two, three }) do
            process:close()
        end
        b:cleanup()
    end)
end)

t.test_unless(lacking, "a probe that there is not, and what comes after", function()
    programs.in_folder(function(folder)
        local path = program(folder .. "/program", "", [[PROBE_WITH("0", "test", "point", "-4@%0", "r"(start));]])
        local process = programs.serve(path .. " 7", folder)
        local text = "BPF_ARRAY(n, u64, 1); int on_point(struct pt_regs *ctx) { n.increment(0); return 0; }"
        local u = USDT({ pid = process.pid })
        t.contains(t.fails(u.enable_probe, u, { probe = "pint", fn_name = "on_point" }), "point")
        -- Of what failed nothing is left: the context and the text serve as before.
        u:enable_probe({ probe = "test:point", fn_name = "on_point" })
        local b = BPF({ text = text, usdt_contexts = { u } })
        t.contains(t.fails(b.attach_usdt, b, { pid = process.pid, probe = "pint", fn_name = "on_point" }), "point")
        process:ask("fire")
        t.equal(b.n[0], 1ULL)
        t.equal(#b:probes(), 1)
        b:cleanup()
        BPF({ text = text }):cleanup()
        process:close()
    end)
end)

t.test_unless(lacking, "a process's probes, traced in every process of the program", function()
    programs.in_folder(function(folder)
        local path = program(folder .. "/program", "", [[PROBE_WITH("0", "test", "point", "-4@%0", "r"(start));]])
        local one, two = programs.serve(path .. " 1", folder), programs.serve(path .. " 2", folder)
        for _, everywhere in ipairs({ false, true }) do
            local u = USDT({ pid = one.pid })
            t.equal(u:enable_probe_or_bail({ probe = "point", fn_name = "on_point" }), u)
            t.equal(u:get_probe_arg_ctype("point", 0), "int32_t")
            t.contains(t.fails(u.get_probe_arg_ctype, u, "point", 1), "point")
            t.contains(t.fails(u.enable_probe_or_bail, u, { probe = "pont", fn_name = "on_point" }), "point")
            local b = BPF({ usdt_contexts = { u }, attach_usdt_ignore_pid = everywhere, text = [[
BPF_HASH(values, u32, s32);
int on_point(struct pt_regs *ctx) {
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    s32 value = 0;
    bpf_usdt_readarg(1, ctx, &value);
    values.update(&pid, &value);
    return 0;
}
]] })
            one:ask("fire")
            two:ask("fire")
            t.equal(b.values[one.pid], 1)
            t.equal(b.values[two.pid], everywhere and 2 or nil)
            b:cleanup()
        end
        one:close()
        two:close()
    end)
end)

t.test_unless(lacking, "one probe in a program and in two of its libraries", function()
    programs.in_folder(function(folder)
        -- What each of the three has inlined.
        local record = [[
#include "probe.h"
static inline void record_value(int value)
{
    PROBE_WITH("0", "test", "probe", "-4@%0", "r"(value));
    PROBE_WITH("0", "test_of_another", "probe", "-4@%0", "r"(value));
}
]]
        for _, name in ipairs({ "a", "b" }) do
            local text = record .. ("void record_%s(int value) { record_value(value); }\n"):format(name)
            programs.compile(("%s/lib%s.so"):format(folder, name), text, "-shared -fPIC" .. PROBE_H)
        end
        local path = program(folder .. "/program", record .. "void record_a(int value);\nvoid record_b(int value);\n",
            "record_a(1); record_b(2); record_value(3);", ("-L%s -la -lb -Wl,-rpath,%s"):format(folder, folder))
        local process = programs.serve(path, folder)
        local u = USDT({ pid = process.pid })
        t.equal(u:get_text(), "")
        local files = {}
        for _, probe in ipairs(u:enumerate_probes()) do
            t.equal(probe:short_name(), probe.provider .. ":" .. probe.name)
            for _, location in ipairs(probe.provider == "test" and probe.locations or {}) do
                files[#files + 1] = location.path:match("[^/]*$")
            end
        end
        table.sort(files)
        t.equal(table.concat(files, " "), "liba.so libb.so program")
        u:enable_probe({ probe = "test:probe", fn_name = "on_probe" })
        local b = BPF({ usdt_contexts = { u }, text = [[
BPF_PERF_OUTPUT(events);
int on_probe(struct pt_regs *ctx)
{
    int value = 0;
    bpf_usdt_readarg(1, ctx, &value);
    events.perf_submit(ctx, &value, sizeof(value));
    return 0;
}
]] })
        local seen = {}
        b.events:open_perf_buffer(function(_, value) seen[#seen + 1] = tostring(value) end)
        process:ask("fire")
        process:ask("fire")
        wait(b, seen, 6)
        table.sort(seen)
        t.equal(table.concat(seen, " "), "1 1 2 2 3 3")
        process:close()
        b:cleanup()
    end)
end)
