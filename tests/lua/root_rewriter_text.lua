-- SPDX-License-Identifier: Apache-2.0
-- What a text finds around it: macros of the kernel's build and of the host's compilers, headers by all their names, options of
-- the kernel, flags, folders of headers, its own place; the licence and the version that go with it.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void);")

local PACKET = ("\0"):rep(64)
local F = "SEC(\"socket\") int f(struct __sk_buff *skb) { "

local function result(text, options)
    options = options or {}
    options.text = text
    local b = BPF(options)
    local value = b:test_run({ fn_name = "f", data_in = PACKET }).retval
    b:cleanup()
    return value
end

local function is_defined(name)
    return result(F .. "\n#ifdef " .. name .. "\nreturn 1;\n#else\nreturn 2;\n#endif\n}") == 1
end

t.test("macros that texts ask about", function()
    local machine = ffi.arch == "x64" and "__x86_64__" or "__aarch64__"
    for _, name in ipairs({ machine, "__KERNEL__", "__BPF_TRACING__", "KBUILD_MODNAME", "__linux__", "__unix__", "__GNUC__", "__clang__",
        "LINUX_VERSION_CODE", "CONFIG_BPF_SYSCALL", "CONFIG_64BIT", "CONFIG_ARCH_HAS_SYSCALL_WRAPPER", "PAGE_SIZE", "HZ", "NULL" }) do
        t.equal(name .. " " .. tostring(is_defined(name)), name .. " true")
    end
    t.equal(is_defined("CC_USING_FENTRY"), false)
    t.equal(is_defined("_WIN32"), false)
    t.equal(result(F .. "return sizeof(KBUILD_MODNAME) > 1 && sizeof(long) == 8 && sizeof(void *) == 8 && (char)-1 < 0; }"), 1)
    t.equal(result(F .. "return IS_ENABLED(CONFIG_BPF_SYSCALL) + 2 * IS_ENABLED(CONFIG_NO_SUCH_THING); }"), 1)
    local release = io.open("/proc/sys/kernel/osrelease"):read("*l")
    local major, minor = release:match("^(%d+)%.(%d+)")
    t.equal(result(F .. ("return LINUX_VERSION_CODE >> 8 == KERNEL_VERSION(%s, %s, 0) >> 8; }"):format(major, minor)), 1)
end)

t.test("headers by every name that texts have for them", function()
    for _, header in ipairs({
        "bcc/proto.h", "bcc/helpers.h", "bcc/footer.h", "bcc/bpf.h", "bcc/bpf_workaround.h", "uapi/linux/ptrace.h", "linux/kconfig.h",
        "linux/sched.h", "generated/autoconf.h", "asm/ptrace.h", "stdarg.h", "stddef.h", "stdbool.h", "stdint.h", "limits.h", "string.h",
    }) do
        t.equal(result(("#include <%s>\n%sreturn 3; }"):format(header, F)), 3)
    end
    t.equal(result("#include <./include/linux/kconfig.h>\n#include \"linux/sched.h\"\n" .. F .. "return sizeof(struct task_struct) > 1000; }"), 1)
    t.equal(result("#include <stdint.h>\n#include <stdbool.h>\n#include <stddef.h>\n" .. F
        .. "uint16_t a = -1; bool b = true; struct two { char x; int y; }; return a + b + offsetof(struct two, y); }"), 65535 + 1 + 4)
end)

t.test("a folder of headers, a header of one's own, flags that define and that do not", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    local file = assert(io.open(folder .. "/own.h", "w"))
    file:write("#define OWN 40\nstatic int twice(int n) { return n * 2; }\nint in_header(struct __sk_buff *skb) { return skb->len + OWN; }\n")
    file:close()
    local text = "#include \"own.h\"\n" .. F .. "return twice(OWN) + N; }"
    t.equal(result(text, { cflags = { "-I" .. folder, "-DN=5" } }), 85)
    t.equal(result(text, { cflags = { "-I", folder, "-DN=5", "-DM", "-UM" } }), 85)
    t.contains(t.fails(BPF, { text = text, cflags = { "-DN=5" } }), "'own.h' file not found")
    -- Functions of headers are programs like those of the text.
    local b = BPF({ text = text, cflags = { "-I" .. folder, "-DN=5" } })
    b:load_func("in_header", BPF.SOCKET_FILTER)
    t.equal(b:test_run({ fn_name = "in_header", data_in = PACKET }).retval, 90)
    b:cleanup()
    t.contains(t.fails(BPF, { text = text, cflags = { "-I" .. folder } }), "use of undeclared identifier 'N'")
    os.execute("rm -r " .. folder)
end)

t.test("variables of the environment that tell bcc where headers and libraries are", function()
    local file = os.tmpname()
    local out = assert(io.open(file, "w"))
    out:write([[
local b = BPF{ text = '#include <linux/sched.h>\nSEC("socket") int f(struct __sk_buff *skb) { return sizeof(struct task_struct) > 1000 ? MACHINE : 0; }',
    cflags = { "-DMACHINE=__BYTE_ORDER__" } }
print(tonumber(b:test_run{ fn_name = "f", data_in = ("\0"):rep(64) }.retval))
]])
    out:close()
    local pipe = io.popen(("ARCH=powerpc BCC_KERNEL_MODULES_SUFFIX=none TMPDIR=/nowhere LIBBCC_SO_PATH=/nowhere /proc/%d/exe %s 2>&1")
        :format(ffi.C.getpid(), file))
    t.equal(pipe:read("*a"), "1234\n")
    pipe:close()
    os.remove(file)
end)

t.test("errors stand at the script's own lines", function()
    local here = debug.getinfo(1, "l").currentline
    local err = t.fails(function()
        BPF({ text = [[
int f(struct pt_regs *ctx)
{
    return nothing_like_it;
}]] })
    end)
    t.contains(err, ("root_rewriter_text.lua:%d:12: use of undeclared identifier 'nothing_like_it'"):format(here + 5))
end)

t.test("constructs of Microsoft's and GNU's that the kernel's headers use", function()
    t.equal(result([[
struct inner { u32 a; };
struct outer { struct inner; u32 b; };
]] .. F .. [[
    struct outer o = { .b = 2 };
    int list[] = { [0 ... 3] = 5 }, n = ({ int x = 3; x + 1; });

    o.a = 1;
    switch (skb->len) { case 40 ... 60: n += 100; break; default: n = 0; }
    return o.a + o.b + list[2] + n + (skb->len ?: 7) + __builtin_choose_expr(1, 1000, "no");
}]]), 1 + 2 + 5 + 104 + 50 + 1000)
end)

t.test("the licence that the kernel is told", function()
    local NEEDS = F .. "u64 n = 0; bpf_probe_read_kernel(&n, 8, (void *)bpf_get_current_task()); return n != 0; }"
    local TRACE = NEEDS:gsub('SEC%("socket"%) int f%(struct __sk_buff %*skb%)', "int f(struct bpf_raw_tracepoint_args *ctx)")
    BPF({ text = TRACE }):load_func("f")
    BPF({ text = "#define BPF_LICENSE Dual MIT/GPL\n" .. TRACE }):load_func("f")
    BPF({ text = TRACE .. '\nchar mine[] SEC("license") = "GPL v2";' }):load_func("f")
    local b = BPF({ text = TRACE .. '\nchar mine[] SEC("license") = "Apache-2.0";' })
    t.contains(t.fails(b.load_func, b, "f"), "GPL")
end)
