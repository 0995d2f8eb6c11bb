-- SPDX-License-Identifier: Apache-2.0
-- The options of `BPF{…}` that are bcc's: what `debug` shows, a header before the text.

local t = require("harness")

local TEXT = [[
BPF_ARRAY(hits, u64, 1);
int count(struct pt_regs *ctx)
{
    int zero = 0;
    u64 *hit = hits.lookup(&zero);
    if (hit)
        *hit += STEP;
    return 0;
}
]]

-- What goes to standard error while a function runs.
local function shown(body)
    local pieces, real = {}, io.stderr
    io.stderr = { write = function(_, ...) pieces[#pieces + 1] = table.concat({ ... }) end }
    local ok, err = pcall(body)
    io.stderr = real
    assert(ok, err)
    return table.concat(pieces)
end

local function debugged(debug)
    return shown(function() BPF({ text = TEXT, cflags = { "-DSTEP=3" }, debug = debug }):close() end)
end

t.test("debug shows nothing, instructions, lines, what the verifier sees", function()
    t.equal(debugged(0), "")
    t.contains(debugged(2), "Disassemble of BPF program count:\n   0: (b7) r1 = 0\n")
    t.contains(debugged(2), "call bpf_map_lookup_elem#1")
    local text = debugged(8)
    t.contains(text, "Disassembly of count:\n; root_options.lua:")
    t.contains(text, "*hit += STEP;\n")
    t.contains(debugged(16), "R10=fp0")
    local both = debugged(18)
    t.contains(both, "Disassemble of BPF program")
    t.contains(both, "processed ")
end)

t.test("debug shows the text and LLVM's form, of any combination of bits", function()
    local text = debugged(4)
    t.contains(text, "*hit += 3;\n")
    -- The script's line, and none of what stands before the text.
    t.contains(text, "\"root_options.lua\"\n")
    t.equal(text:find("bpf_user_pt_regs_t", 1, true), nil)
    text = debugged(1)
    t.contains(text, "define dso_local")
    t.contains(text, "@count(ptr")
    local all = debugged(31)
    for _, part in ipairs({ "*hit += 3;", "define dso_local", "Disassemble of", "Disassembly of", "R10=fp0" }) do
        t.contains(all, part)
    end
    -- The verifier's shorter log, without a state for each instruction.
    text = debugged(2)
    t.contains(text, "processed ")
    t.equal(text:find("R10=fp0", 1, true), nil)
end)

t.test("debug by names", function()
    t.contains(debugged("preprocessor"), "*hit += 3;\n")
    t.contains(debugged({ "source", "DEBUG_LLVM_IR" }), "define dso_local")
    t.equal(BPF.DEBUG_LLVM_IR + BPF.DEBUG_BPF + BPF.DEBUG_PREPROCESSOR + BPF.DEBUG_SOURCE + BPF.DEBUG_BPF_REGISTER_STATE + BPF.DEBUG_BTF, 63)
    for _, case in ipairs({
        { 64, "option `debug` of `BPF` is 64: it must be a sum of 1, 2, 4, 8, 16 and 32" },
        { -1, "option `debug` of `BPF` is -1" },
        { 1.5, "option `debug` of `BPF` is 1.5" },
        { "sorce", "did you mean `DEBUG_SOURCE`?" },
        { { 5 }, "`debug[1]` of `BPF` is a number: it must be a name" },
        { true, "option `debug` of `BPF` is a boolean" },
    }) do
        t.contains(t.fails(BPF, { text = TEXT, cflags = { "-DSTEP=1" }, debug = case[1] }), case[2])
    end
end)

t.test("a header before the text", function()
    local name = os.tmpname()
    local function compiled(step)
        local file = assert(io.open(name, "w"))
        file:write("#define STEP " .. step .. "\n")
        file:close()
        local b = BPF({ text = TEXT, hdr_file = name })
        local text = b:disassemble_func("count")
        b:close()
        return text
    end
    t.contains(compiled(77), "+= 77")
    -- What is in the header counts, not only its name: no object of before comes out of the cache.
    t.contains(compiled(78), "+= 78")
    os.remove(name)
    t.contains(t.fails(BPF, { text = TEXT, hdr_file = "/no/such/header.h" }), "cannot find the file `/no/such/header.h`")
end)

t.test("the limit of locked memory is left alone when asked", function()
    -- Where the kernel does not count BPF memory against it (since 5.11), that makes no difference.
    BPF({ text = TEXT, cflags = { "-DSTEP=1" }, allow_rlimit = false }):close()
    t.contains(t.fails(BPF, { text = TEXT, allow_rlimit = 1 }), "option `allow_rlimit` of `BPF` is a number")
end)
