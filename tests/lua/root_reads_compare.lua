-- SPDX-License-Identifier: Apache-2.0
-- Strings and memory of the kernel's compared and copied: `strncmp`, `strcmp`, `bpf_strncmp`, `memcmp`, `memcpy`, against
-- what Lua says of the same bytes; and what is told of those that cannot be.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
long syscall(long number, ...);
int getpid(void);
int open(const char *path, int flags, int mode);
int unlink(const char *path);
int close(int fd);
]])

local C, PID = ffi.C, ffi.C.getpid()
-- getpgid: it fails for what is no process, and harms nothing.
local NUMBER = ffi.arch == "x64" and 121 or 155

local NAME = "compared-with-others-" .. ("abcdefghij"):rep(20) .. PID
local fd = C.open("/tmp/" .. NAME, 1 + 64, 384)
assert(fd >= 0, "cannot create a file: errno " .. ffi.errno())

local HEAD = [[
BPF_ARRAY(got, s64, 256);
#define SET(n, v) do { int k_ = (n); s64 v_ = (s64)(v); got.update(&k_, &v_); } while (0)
#define TASK ((struct task_struct *)bpf_get_current_task())
#define NAME ((const char *)TASK->files->fdt->fd[FD]->f_path.dentry->d_name.name)
#define TEXT ((const char *)PT_REGS_PARM1_CORE((struct pt_regs *)ctx->args[0]))
#define PROBE(name) SEC("raw_tp/sys_enter") int name(struct bpf_raw_tracepoint_args *ctx)
#define MINE (ctx->args[1] == NUMBER && bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text, flags)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID, "-DNUMBER=" .. NUMBER, "-DFD=" .. fd, unpack(flags or {}) } })
end

-- What strncmp gives, as a sign.
local function compared(a, b, count)
    for i = 1, count do
        local x, y = a:byte(i) or 0, b:byte(i) or 0
        if x ~= y then
            return x < y and -1 or 1
        end
        if x == 0 then
            return 0
        end
    end
    return 0
end

local function sign(value)
    return value < 0 and -1 or value > 0 and 1 or 0
end

-- Runs programs made of statements, a few to each: text, wanted value, whether only the sign counts.
local function run(cases, prologue)
    local lines = { prologue or "" }
    for first = 1, #cases, 8 do
        lines[#lines + 1] = ("PROBE(from_%d) { if (!MINE) return 0;"):format(first)
        for i = first, math.min(first + 7, #cases) do
            lines[#lines + 1] = ("SET(%d, (%s));"):format(i, cases[i][1])
        end
        lines[#lines + 1] = "return 0; }"
    end
    local b = open(table.concat(lines, "\n"))
    C.syscall(NUMBER, ffi.cast("const char *", NAME))
    for i, case in ipairs(cases) do
        local got = tonumber(b.got[i])
        got = case.signed and sign(got) or got
        if got ~= case[2] then
            error(("%s: got %d, wanted %d"):format(case[1], got, case[2]), 2)
        end
    end
    b:cleanup()
end

local OTHERS = { "compared", "compared-with-others-a", "compare", "comparee", "comparec", "", "c", "d", "b", "compared\200", "xyz" }
if os.getenv("BPFLUA_TEST_VM") then
    -- There the processor is emulated.
    OTHERS = { "compared", "compare", "comparee", "", "d" }
end

t.test("strncmp", function()
    local cases = {}
    for _, other in ipairs(OTHERS) do
        for _, count in ipairs({ 1, 3, #other, #other + 1, 24 }) do
            if count > 0 then
                local literal = ('"%s"'):format(other:gsub("\200", "\\310"))
                local wanted = compared(NAME, other, count)
                cases[#cases + 1] = { ("strncmp(NAME, %s, %d)"):format(literal, count), wanted, signed = true }
                cases[#cases + 1] = { ("strncmp(%s, NAME, %d)"):format(literal, count), -wanted, signed = true }
                cases[#cases + 1] = { ("!strncmp(TEXT, %s, %d)"):format(literal, count), wanted == 0 and 1 or 0 }
                cases[#cases + 1] = { ("!__builtin_strncmp(%s, NAME, %d)"):format(literal, count), wanted == 0 and 1 or 0 }
            end
        end
    end
    cases[#cases + 1] = { "strncmp(NAME, TEXT, 60)", 0, signed = true }
    cases[#cases + 1] = { "strncmp(NAME + 9, TEXT, 9)", compared(NAME:sub(10), NAME, 9), signed = true }
    cases[#cases + 1] = { "strncmp(TASK->comm, TASK->group_leader->comm, 16)", 0, signed = true }
    run(cases)
end)

t.test("strcmp with a constant string", function()
    local comm = io.open("/proc/self/comm"):read("*l")
    local cases = {}
    for _, other in ipairs({ comm, comm .. "x", comm:sub(1, -2), "", "zzz" }) do
        local wanted = compared(comm, other, 99)
        cases[#cases + 1] = { ('strcmp(TASK->comm, "%s")'):format(other), wanted, signed = true }
        cases[#cases + 1] = { ('strcmp("%s", TASK->comm)'):format(other), -wanted, signed = true }
        cases[#cases + 1] = { ('strcmp(TASK->comm, "%s") == 0'):format(other), wanted == 0 and 1 or 0 }
    end
    run(cases)
end)

t.test("bpf_strncmp", function()
    local cases = {}
    for _, other in ipairs(OTHERS) do
        for _, count in ipairs({ 1, 3, math.max(#other, 1), #other + 1, 24 }) do
            local literal = ('"%s"'):format(other:gsub("\200", "\\310"))
            cases[#cases + 1] = { ("bpf_strncmp(NAME, %d, %s)"):format(count, literal), compared(NAME, other, count), signed = true }
        end
    end
    cases[#cases + 1] = { "bpf_strncmp(TASK->comm, 16, wanted)", 0, signed = true }
    local ok, err = pcall(run, cases, ('static const char wanted[] = "%s";'):format(io.open("/proc/self/comm"):read("*l")))
    assert(ok or t.lacks(err), err)
end)

t.test("memcmp", function()
    local cases = {}
    for _, count in ipairs({ 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64 }) do
        local same = NAME:sub(1, count)
        local lower, higher = same:sub(1, -2) .. "!", same:sub(1, -2) .. "~"
        cases[#cases + 1] = { ('memcmp(NAME, "%s", %d)'):format(same, count), 0, signed = true }
        cases[#cases + 1] = { ('memcmp(NAME, "%s", %d)'):format(lower, count), 1, signed = true }
        cases[#cases + 1] = { ('__builtin_memcmp("%s", NAME, %d)'):format(lower, count), -1, signed = true }
        cases[#cases + 1] = { ('__builtin_memcmp(NAME, "%s", %d) != 0'):format(higher, count), 1 }
        cases[#cases + 1] = { ('!memcmp(TEXT, "%s", %d)'):format(same, count), 1 }
        cases[#cases + 1] = { ("memcmp(NAME, TEXT, %d)"):format(count), 0, signed = true }
        cases[#cases + 1] = { ("memcmp(NAME + 1, NAME, %d)"):format(count), 1, signed = true }
    end
    cases[#cases + 1] = { "memcmp(NAME, TEXT, 200)", 0, signed = true }
    run(cases)
end)

t.test("comparing by a loop over a copy, as bcc's tools do", function()
    run({
        { 'same((u64)NAME, "compared", 8)', 1 },
        { 'same((u64)NAME, "comparee", 8)', 0 },
        { 'same((u64)TEXT, "compared", 8)', 1 },
        { 'IS(TASK->comm, "' .. io.open("/proc/self/comm"):read("*l") .. '")', 1 },
        { 'IS(TASK->comm, "other")', 0 },
        { 'walk(NAME, "compared-")', 1 },
        { 'walk(NAME, "compared+")', 0 },
    }, [[
        static inline bool same(u64 address, const char *wanted, int count)
        {
            char copy[32] = {};
            bpf_probe_read(copy, count, (void *)address);
            for (int i = 0; i < count; i++)
                if (copy[i] != wanted[i])
                    return false;
            return true;
        }
        #define IS(text, literal) ({ \
            char wanted_[] = literal, copy_[sizeof(wanted_)]; \
            bool is_ = true; \
            bpf_probe_read_kernel_str(copy_, sizeof(copy_), text); \
            for (int i_ = 0; i_ < sizeof(wanted_); i_++) \
                if (wanted_[i_] != copy_[i_]) { is_ = false; break; } \
            is_; })
        // Without a copy: each character is read where it stands.
        static inline bool walk(const char *text, const char *wanted)
        {
            for (int i = 0; i < 32; i++) {
                if (!wanted[i])
                    return true;
                if (text[i] != wanted[i])
                    return false;
            }
            return false;
        }]])
end)

t.test("copies to the stack, to maps and to records", function()
    local lines, sizes = {}, { 1, 2, 3, 5, 7, 8, 13, 16, 31, 64, 100, 200 }
    for i, size in ipairs(sizes) do
        lines[i] = ([[PROBE(copy_%d) {
            u32 key = %d;
            struct part_t part = {}, *kept;
            if (!MINE) return 0;
            memcpy(part.bytes, NAME + %d, %d);
            kept = parts.lookup(&key);
            if (kept) __builtin_memcpy(kept, &part, sizeof(part));
            return 0; }]]):format(i, i, i, size)
    end
    local b = open([[
        struct part_t { char bytes[216]; };
        struct mixed_t { u8 first; char odd[11]; u16 behind; } __attribute__((packed));
        struct record_t { char name[40]; u32 length; };
        BPF_ARRAY(parts, struct part_t, 32);
        BPF_RINGBUF_OUTPUT(records, 1);
        ]] .. table.concat(lines, "\n") .. [[
        PROBE(into_map) {
            u32 key = 20, length = PT_REGS_PARM2_CORE((struct pt_regs *)ctx->args[0]);
            struct part_t *kept = parts.lookup(&key);
            if (!MINE || !kept) return 0;
            __builtin_memcpy(kept->bytes, NAME, 33);
            memmove(kept->bytes + 40, TEXT + 2, 21);
            struct mixed_t mixed = { .first = 1, .behind = 0x4241 };
            memcpy(mixed.odd, NAME + 3, sizeof(mixed.odd));
            *(struct mixed_t *)(kept->bytes + 100) = mixed;
            // A number of bytes that is known when it runs.
            if (length < 32)
                memcpy(kept->bytes + 150, NAME, length);
            struct record_t *record = records.ringbuf_reserve(sizeof(*record));
            if (record) {
                memcpy(record->name, NAME, sizeof(record->name));
                record->length = TASK->files->fdt->fd[FD]->f_path.dentry->d_name.len;
                records.ringbuf_submit(record, 0);
            }
            return 0;
        }]])
    local record
    b.records:open_ring_buffer(function(_, data)
        record = ffi.string(data, 44)
    end)
    C.syscall(NUMBER, ffi.cast("const char *", NAME), ffi.cast("long", 19))
    for i, size in ipairs(sizes) do
        local wanted = NAME:sub(i + 1, i + size)
        t.equal(ffi.string(b.parts[i].bytes, size + 1), wanted .. "\0")
    end
    local bytes = ffi.string(b.parts[20].bytes, 216)
    t.equal(bytes:sub(1, 34), NAME:sub(1, 33) .. "\0")
    t.equal(bytes:sub(41, 62), NAME:sub(3, 23) .. "\0")
    t.equal(bytes:sub(101, 115), "\1" .. NAME:sub(4, 14) .. "AB\0")
    t.equal(bytes:sub(151, 170), NAME:sub(1, 19) .. "\0")
    b:ring_buffer_poll(1000)
    t.equal(record, NAME:sub(1, 40) .. string.char(#NAME) .. "\0\0\0")
    b:cleanup()
end)

t.test("what cannot be written out is told in words", function()
    local function fails(statement)
        return t.fails(open, "int nowhere(int n);\nPROBE(f) { char own[64] = {}; u32 n = ctx->args[1] & 63; if (MINE) SET(0, " .. statement .. "); return 0; }")
    end
    for statement, words in pairs({
        ["strlen(NAME)"] = "`strlen` is a function of the C library, which a BPF program has not: what `bpf_probe_read_kernel_str`",
        ["strcmp(NAME, TEXT)"] = "`strcmp` is written out where one of the two is a constant string of less than 128 characters",
        ["strncmp(NAME, TEXT, n)"] = "`strncmp` is written out for a constant number of characters, up to 128",
        ["strncmp(NAME, TEXT, 200)"] = "`strncmp` is written out for a constant number of characters, up to 128",
        ["memcmp(NAME, own, n)"] = "`memcmp` of kernel memory takes a constant number of bytes, up to 256",
        ["memcmp(NAME, TEXT, 300)"] = "`memcmp` of kernel memory takes a constant number of bytes, up to 256",
        ["memcmp(own, own + 1, n)"] = "`memcmp` is written out for a constant number of bytes, up to 1024",
        ["__builtin_strchr(own, 65) != 0"] = "`strchr` is a function of the C library, which a BPF program has not",
        ["nowhere(3)"] = "`nowhere` is declared, but has no body in this text",
        ["bpf_strncmp(own, 8, NAME)"] = "a helper wants a constant string, and is given something else",
    }) do
        local err = fails(statement)
        t.contains(err, words)
        t.contains(err, statement:find("^bpf_") and "harness.lua:9" or "SET(0, " .. statement .. ")")
    end
end)
C.close(fd)
C.unlink("/tmp/" .. NAME)
