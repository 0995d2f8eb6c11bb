-- SPDX-License-Identifier: Apache-2.0
-- Attaches to every probe of the program given, runs it, and compares what arrives with what it prints.
-- The second argument is how: contexts, attach, section.

local program, how = arg[1], arg[2] or "contexts"

local TEXT = [[
struct event {
    u32 probe;
    u32 count;
    s64 values[12];
    char text[32];
};
BPF_PERF_OUTPUT(events);

#define READ(n, type) ({ type value = 0; if (bpf_usdt_readarg(n, ctx, &value)) value = (type)99; e.values[e.count++] = (s64)value; })
#define PROBE(number, name, reads) SECTION(name) \
    int on_##name(struct pt_regs *ctx) \
    { \
        struct event e = {.probe = number}; \
        reads \
        events.perf_submit(ctx, &e, sizeof(e)); \
        return 0; \
    }

PROBE(1, signed_registers, READ(1, s8); READ(2, s16); READ(3, int); READ(4, s64);)
PROBE(2, unsigned_registers, READ(1, u8); READ(2, u16); READ(3, u32); READ(4, u64);)
// Narrower values in wider variables, and the other way round.
PROBE(3, parts, READ(1, long); READ(2, long); READ(3, u32); READ(4, int); READ(5, u64); READ(6, void *);)
PROBE(4, numbered, READ(1, u64); READ(2, u64); READ(3, s64); READ(4, s64);)
PROBE(5, constants, READ(1, int); READ(2, int); READ(3, s64); READ(4, u16); READ(5, s64); READ(6, s64); READ(7, u64); READ(8, short);)
PROBE(6, memory, READ(1, s64); READ(2, s64); READ(3, s64); READ(4, u64);)
PROBE(7, globals, READ(1, s64); READ(2, s64); READ(3, s64); READ(4, u64);)
PROBE(8, indexed, READ(1, s64); READ(2, s64); READ(3, s64); READ(4, s64); READ(5, s64); READ(6, u64);)
PROBE(9, text, bpf_usdt_readarg_p(1, ctx, &e.text, sizeof(e.text));)
PROBE(10, places, READ(1, s64); READ(2, u32);)
PROBE(11, many_arguments, READ(1, s64); READ(2, s64); READ(3, s64); READ(4, s64); READ(5, s64); READ(6, s64); READ(7, s64); READ(8, s64); READ(9, s64); READ(10, s64); READ(11, s64); READ(12, s64);)
// The first argument is where no program can read it, which does no harm to one that does not.
PROBE(12, vectors, READ(2, int);)
PROBE(13, counted, READ(1, u16);)
PROBE(14, moved, READ(1, u16);)

// Pointers among the arguments are user memory, wherever they were kept.
struct followed { char first, others[7]; struct { short inner; } deeper; };
static int inner(struct followed *at) { return at->deeper.inner; }
int on_text_too(struct pt_regs *ctx)
{
    struct event e = {.probe = 15, .count = 3};
    struct followed *at;
    bpf_usdt_readarg(1, ctx, &at);
    e.values[0] = at->first;
    e.values[1] = at->others[4];
    e.values[2] = inner(at);
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}
]]

local NAMES = { "signed_registers", "unsigned_registers", "parts", "numbered", "constants", "memory", "globals", "indexed",
    "text", "places", "many_arguments", "vectors", "counted", "moved" }
-- Arguments to show as unsigned numbers of 64 bits.
local UNSIGNED = { unsigned_registers = 4, parts = 6, constants = 7, memory = 4, globals = 4, indexed = 6 }

local b
if how == "section" then
    b = BPF{text = '#define SECTION(name) SEC("usdt/' .. program .. ':values:" #name)\n' .. TEXT}
elseif how == "attach" then
    b = BPF{text = "#define SECTION(name)\n" .. TEXT}
    for _, name in ipairs(NAMES) do
        b:attach_usdt{path = program, provider = "values", probe = name, fn_name = "on_" .. name}
    end
else
    local u = USDT{path = program}
    for _, name in ipairs(NAMES) do
        u:enable_probe{probe = name, fn_name = "on_" .. name}
    end
    b = BPF{text = "#define SECTION(name)\n" .. TEXT, usdt_contexts = {u}}
end

b:attach_usdt{path = program, probe = "text", fn_name = "on_text_too"}
NAMES[15] = "followed"

local ffi = require("ffi")
local got, wanted = {}, {}
b.events:open_perf_buffer(function(cpu, data)
    local e = b.events:event(data)
    local name = NAMES[e.probe]
    local words = { name }
    for i = 0, e.count - 1 do
        local value = e.values[i]
        words[#words + 1] = UNSIGNED[name] == i + 1 and ("%u"):format(ffi.cast("uint64_t", value)) or ("%d"):format(value)
    end
    if name == "text" then
        words[2] = ffi.string(e.text)
    end
    got[#got + 1] = table.concat(words, " ")
end)

for line in io.popen(program):lines() do
    wanted[#wanted + 1] = line
end
while #got < #wanted and BPF.sleep(0.05) do end
BPF.sleep(0.05)
table.sort(got)
table.sort(wanted)
local mechanisms = {}
for _, probe in ipairs(b:probes()) do
    mechanisms[probe.target] = probe.mechanism
end
print(table.concat(got, "\n"))
assert(table.concat(got, "\n") == table.concat(wanted, "\n"), "wanted:\n" .. table.concat(wanted, "\n"))
assert(#wanted == 19, #wanted)
print("values:places by " .. mechanisms["values:places"] .. ", values:text by " .. mechanisms["values:text"])
