-- SPDX-License-Identifier: Apache-2.0
-- Instructions and layouts as bcc's scripts compare them; functions of user programs.

local t = require("harness")

local b = BPF({ text = [[
struct key_t { int a; short b; struct { int c:4; int d:8; } e; } __attribute__((__packed__));
enum color { RED };
struct value_t { u64 ns; char comm[16]; enum color color; bool on; unsigned __int128 wide; u8 list[3]; };
BPF_HASH(test_map, struct key_t);
BPF_HASH(other, u32, struct value_t);
BPF_ARRAY(hits, u64, 1);

int test_func(void *ctx) { return 1; }

int calls(struct pt_regs *ctx)
{
    if (bpf_get_current_pid_tgid() >> 32 != PID)
        return 0;
    hits.atomic_increment(0);
    return 0;
}
]], cflags = { "-DPID=" .. io.open("/proc/self/stat"):read("*n") } })

t.test("the bytes of a function", function()
    t.equal(b:dump_func("test_func"), "\xb7\0\0\0\1\0\0\0\x95\0\0\0\0\0\0\0")
    t.contains(t.fails(b.dump_func, b, "test_fucn"), "similar: test_func")
end)

t.test("the text of a function", function()
    t.equal(b:disassemble_func("test_func"), "Disassemble of BPF program test_func:\n   0: (b7) r0 = 1\n   1: (95) exit")
    local text = b:disassemble_func("calls")
    t.contains(text, "call bpf_get_current_pid_tgid#14")
    t.contains(text, "call bpf_map_lookup_elem#1")
    t.contains(text, ("= <map at fd #%d>"):format(b.hits:get_fd()))
    t.contains(text, "(64-bit upper word)")
end)

t.test("the layout of a map", function()
    local text = b:decode_table("test_map")
    t.contains(text, "Layout of BPF map test_map (type HASH, FD ")
    t.equal(text:match("\n(.*)"), [[
  struct {
    int a;
    short b;
    struct {
      int c:4;
      int d:8;
    } e;
  } key;
  unsigned long long value;]])
    t.equal(b:decode_table("other"):match("\n(.*)"), [[
  unsigned int key;
  struct {
    unsigned long long ns;
    char[16] comm;
    unsigned int color;
    _Bool on;
    unsigned __int128 wide;
    unsigned char[3] list;
  } value;]])
    t.contains(b:decode_table("other", true), "    [8 +16] char[16] comm;")
    t.contains(t.fails(b.decode_table, b, "othre"), "did you mean `other`")
end)

t.test("functions of user programs", function()
    t.equal(table.concat(BPF.get_user_functions("c", "getppid$")), "getppid")
    local pairs_ = BPF.get_user_functions_and_addresses("c", "getp[ip]d?")
    local addresses = BPF.get_user_addresses("c", "getp[ip]d?")
    t.equal(#pairs_ > 0 and #pairs_ == #addresses, true)
    t.equal(pairs_[1][2] == addresses[1] and addresses[1] > 0x1000ULL, true)
    t.equal(#BPF.get_user_functions("c", "no_such_function"), 0)
    t.contains(t.fails(BPF.get_user_functions, "c", "("), "is not a regular expression")
    t.contains(t.fails(BPF.get_user_functions, "no_such_library", "x"), "there is no library or program `no_such_library`")
    t.contains(t.fails(BPF.get_user_functions, "c"), "`get_user_functions` needs the argument `sym_re`")
end)

t.test("files by name", function()
    t.contains(BPF.find_library("c"), "libc.so.6")
    t.equal(BPF.find_library("no_such_library"), nil)
    t.contains(BPF.find_exe("sh"), "/sh")
    t.equal(BPF.find_exe("no_such_program"), nil)
end)

t.test("a probe on all functions that match", function()
    local ffi = require("ffi")
    ffi.cdef("int getpid(void); int getppid(void);")
    b:attach_uprobe({ name = "c", sym_re = "getp?pid$", fn_name = "calls" })
    local names = {}
    for _, probe in ipairs(b:probes()) do
        names[#names + 1] = probe.target
    end
    table.sort(names)
    -- One link for both where the kernel has such links (6.6).
    local is_one = #names == 1
    t.equal(table.concat(names, " "), is_one and "c:/getp?pid$/" or "c:getpid c:getppid")
    t.equal(table.concat(is_one and b:probes()[1].resolved or names, " "), "c:getpid c:getppid")
    t.equal(BPF.num_open_uprobes(), 2)
    ffi.C.getpid()
    ffi.C.getppid()
    t.equal(tonumber(b.hits:get(0)), 2)
    b:detach_uprobe({ name = "c", sym = "getpid" })
    t.equal(#b:probes(), 1)
    t.equal(BPF.num_open_uprobes(), 1)
    ffi.C.getpid()
    ffi.C.getppid()
    t.equal(tonumber(b.hits:get(0)), 3)
    t.contains(t.fails(b.attach_uprobe, b, { name = "c", sym_re = "nothing_at_all", fn_name = "calls" }), "no function of this file matches")
    t.contains(t.fails(b.attach_uprobe, b, { name = "c", fn_name = "calls" }), "needs the option `sym`, `sym_re` or `addr`")
end)
