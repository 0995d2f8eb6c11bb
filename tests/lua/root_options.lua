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

t.test("a C file, in the current folder or beside the script; one of text, file and object", function()
    local function write(path, text)
        local file = assert(io.open(path, "w"))
        file:write(text)
        file:close()
    end
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder .. " " .. folder .. "/beside") == true)
    write(folder .. "/here.c", "BPF_HASH(of_here);")
    write(folder .. "/both.c", "BPF_HASH(of_folder);")
    write(folder .. "/beside/both.c", "BPF_HASH(of_script);")
    write(folder .. "/beside/there.c", "BPF_HASH(of_there);")
    write(folder .. "/beside/script.lua", [[
        print(BPF{src_file = "here.c"}.of_here.name, BPF{src_file = "both.c"}.of_folder.name, BPF{src_file = "there.c"}.of_there.name)
    ]])
    local pipe = io.popen(("cd %s && /proc/%d/exe beside/script.lua 2>&1"):format(folder, io.open("/proc/self/stat"):read("*n")))
    t.equal(pipe:read("*a"), "of_here\tof_folder\tof_there\n")
    pipe:close()
    os.execute("rm -r " .. folder)
    t.contains(t.fails(BPF, { text = "int f(void *ctx) { return 0; }", src_file = "x.c" }), "`text` and `src_file` are given")
    t.contains(t.fails(BPF, {}), "one of the options `text`, `src_file` and `object`: none is given")
    t.contains(t.fails(BPF, { src_file = "no_such.c" }), "cannot find the file `no_such.c`")
end)

t.test("a network device that is to run a program", function()
    local text = "int pass(struct xdp_md *ctx) { return XDP_PASS; }"
    local b = BPF({ text = text, device = "no_such_device" })
    t.contains(t.fails(b.load_func, b, "pass", BPF.XDP), "no network device `no_such_device` (ENODEV)")
    b = BPF({ text = text, device = "lo" })
    t.contains(t.fails(b.load_func, b, "pass", BPF.XDP), "cannot load program `pass` (xdp) for a device")
end)
