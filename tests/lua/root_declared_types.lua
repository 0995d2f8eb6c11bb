-- SPDX-License-Identifier: Apache-2.0
-- Maps of every type that a text can declare: nothing said, enumerations, empty and recursive structs, padding, 128 bits; and
-- texts that are wrong.

local ffi = require("ffi")
local t = require("harness")
local stderr = require("help.stderr")

t.test("what is not said of a hash", function()
    local b = BPF({ text = "BPF_HASH(one); BPF_HASH(two, u32); BPF_HASH(three, u32, int); BPF_HASH(four, u32, int, 7);" })
    for name, wanted in pairs({ one = { 8, 8, 10240 }, two = { 4, 8, 10240 }, three = { 4, 4, 10240 }, four = { 4, 4, 7 } }) do
        t.equal(b[name].kind, "hash")
        t.equal(b[name].key_type.size, wanted[1])
        t.equal(b[name].value_type.size, wanted[2])
        t.equal(b[name].max_entries, wanted[3])
    end
end)

t.test("structs that point to themselves, empty ones, unions of empty ones", function()
    local b = BPF({ text = [[
struct list;
struct list { struct list *self, *other, *several[2]; };
struct empty {};
union emptied { struct empty *one; struct empty two, three; };
BPF_ARRAY(lists, struct list, 1);
BPF_ARRAY(pointers, struct list *, 1);
BPF_ARRAY(unions, union emptied, 1);
]] })
    t.equal(b.lists.value_type.size, 32)
    t.equal(b.pointers.value_type.size, 8)
    t.equal(b.unions.value_type.size, 8)
    b.pointers[0] = 0xffff888012345678ULL
    t.equal(ffi.cast("uint64_t", b.pointers[0]), 0xffff888012345678ULL)
end)

t.test("a union in a structure of the kernel's", function()
    local b = BPF({ text = "BPF_HASH(tunnels, struct bpf_tunnel_key, int, 1);" })
    local key = b.tunnels:Key({ tunnel_id = 5, remote_ipv4 = 0x7f000001 })
    t.equal(key.remote_ipv4, 0x7f000001)
    t.equal(key.remote_ipv6[0], 0x7f000001)
    b.tunnels[key] = 9
    for found, value in b.tunnels:items() do
        t.equal(found.tunnel_id, 5)
        t.equal(found.remote_ipv4, 0x7f000001)
        t.equal(value, 9)
    end
end)

t.test("an enumeration in a key", function()
    local b = BPF({ text = "enum choice { CHOICE_A, CHOICE_B = 7 }; struct a { enum choice test; }; BPF_HASH(drops, struct a);" })
    b.drops[{ test = "CHOICE_B" }] = 3
    t.equal(b.drops[{ test = 7 }], 3ULL)
    for key in b.drops:items() do
        t.equal(tonumber(key.test), 7)
    end
end)

t.test("128 bits as key and as value", function()
    local b = BPF({ text = "BPF_HASH(wide, unsigned __int128, __int128);" })
    t.equal(b.wide.key_type.size, 16)
    t.equal(b.wide.value_type.size, 16)
    local address = BPF.inet_pton(10, "2001:db8::")
    local key = ffi.new("struct { uint64_t lo, hi; }")
    ffi.copy(key, address, 16)
    b.wide[{ lo = key.lo, hi = key.hi }] = { lo = 42, hi = 123456789 }
    local count = 0
    for found, value in b.wide:items() do
        t.equal(value.lo, 42ULL)
        t.equal(value.hi, 123456789LL)
        key.lo, key.hi = found.lo, found.hi
        t.equal(BPF.inet_ntop(10, ffi.string(key, 16)), "2001:db8::")
        count = count + 1
    end
    t.equal(count, 1)
end)

t.test("padding before, between and after members", function()
    local b = BPF({ text = [[
struct key_t {
    u32 first;
    struct { char second; __int128 third; };
    u8 fourth;
    unsigned __int128 fifth;
    char sixth;
};
struct value_t { u8 src[4] __attribute__((aligned(8))); u8 dst[4] __attribute__((aligned(8))); };
BPF_HASH(padded, struct key_t, struct value_t);
BPF_ARRAY(offsets, u32, 8);
SEC("socket") int tell(struct __sk_buff *skb)
{
    struct key_t key = {};
    u32 list[] = { __builtin_offsetof(struct key_t, second), __builtin_offsetof(struct key_t, third),
        __builtin_offsetof(struct key_t, fourth), __builtin_offsetof(struct key_t, fifth),
        __builtin_offsetof(struct key_t, sixth), sizeof(struct key_t), sizeof(struct value_t) };
    for (int i = 0; i < 7; i++) {
        int at = i;
        u32 one = list[i];
        offsets.update(&at, &one);
    }
    __builtin_memset(&key, 0, sizeof(key));
    key.first = 1; key.third = -1; key.fifth = 5; key.sixth = 6;
    struct value_t value = { .src = { 1, 2, 3, 4 }, .dst = { 5, 6, 7, 8 } };
    return padded.update(&key, &value);
}
]] })
    t.equal(b:test_run({ fn_name = "tell", data_in = ("\0"):rep(64) }).retval, 0)
    for i, offset in ipairs({ 16, 32, 48, 64, 80, 96, 16 }) do
        t.equal(b.offsets[i - 1], offset)
    end
    t.equal(b.padded.key_type.size, 96)
    t.equal(b.padded.value_type.size, 16)
    local value = b.padded[{ first = 1, third = { lo = 0xffffffffffffffffULL, hi = -1 }, fifth = { lo = 5 }, sixth = 6 }]
    t.equal(value.dst[3], 8)
    for key in b.padded:items() do
        t.equal(key.fifth.lo, 5ULL)
        t.equal(key.third.hi, -1LL)
        t.equal(key.sixth, 6)
    end
end)

t.test("arguments of methods that are enumerators and macros", function()
    local b = BPF({ text = [[
BPF_PROG_ARRAY(stages, 32);
BPF_ARRAY(actions, u32, 32);
#define PIPE (1U << 1)
enum action { PASS };
SEC("xdp") int process(struct xdp_md *ctx)
{
    actions.increment(PASS);
    actions.increment(PIPE, 5);
    stages.call((void *)ctx, PASS);
    stages.call((void *)ctx, PIPE);
    return XDP_PASS;
}
SEC("xdp") int last(struct xdp_md *ctx) { actions.increment(9); return XDP_DROP; }
]] })
    t.equal(#b.actions, 32)
    t.equal(b.stages.max_entries, 32)
    t.equal(b:test_run({ fn_name = "process", data_in = ("\0"):rep(64) }).retval, 2)
    b.stages[2] = b:load_func("last", BPF.XDP)
    t.equal(b:test_run({ fn_name = "process", data_in = ("\0"):rep(64) }).retval, 1)
    t.equal(b.actions[0], 2)
    t.equal(b.actions[2], 10)
    t.equal(b.actions[9], 1)
end)

t.test("flags of the compiler", function()
    BPF({ text = '#ifndef MYFLAG\n#error "not set"\n#endif\n', cflags = { "-DMYFLAG" } })
    t.contains(t.fails(BPF, { text = '#ifndef MYFLAG\n#error "not set"\n#endif\n' }), "not set")
end)

t.test("a syntax error", function()
    local err = t.fails(BPF, { text = "int failure(void *ctx) { if (); return 0; }" })
    t.contains(err, "does not compile: 1 error")
    t.contains(err, "expected expression")
end)

t.test("a type that is declared after the map of it", function()
    local err = t.fails(BPF, { text = "BPF_HASH(drops, struct key_t);\nstruct key_t { u64 location; };" })
    t.contains(err, "incomplete type")
    t.contains(err, "key_t")
end)

t.test("more arguments than registers have", function()
    local err = t.fails(BPF, { text = "int many(struct pt_regs *ctx, int a, int b, int c, int d, int e, int f, int g) { return 0; }" })
    t.contains(err, "`many`")
    t.contains(err, "6")
end)

t.test("a function that is not inlined", function()
    local b = BPF({ text = [[
BPF_ARRAY(got, u64, 1);
noinline int other(int a) { return a + 1; }
SEC("socket") int calls(struct __sk_buff *skb) { return other(skb->len); }
]] })
    -- The kernel has functions since 4.16: they are called.
    t.equal(b:test_run({ fn_name = "calls", data_in = ("\0"):rep(64) }).retval, 51)
    t.contains(b:disassemble_func("calls"), "call ")
end)

-- What the compiler tells of a format while an object is made.
local function told(format, arguments)
    local function compile()
        local b = BPF({ text = ("int f(struct pt_regs *ctx) { char a[] = \"one\", b[] = \"two\"; bpf_trace_printk(%s%s); return a[0] + b[0]; }"):format(format, arguments) })
        return b
    end
    local text, ok, err = stderr.of(compile)
    return text .. (ok and "" or tostring(err))
end

t.test("%f in a line of the trace pipe", function()
    local text = told('"%0.2f\\n"', ", 1")
    t.contains(text, "warning: C text of root_declared_types.lua:1:")
    t.contains(text, "it does not know `%0.2f`, but `%d ")
end)

t.test("%lf in a line of the trace pipe", function()
    t.contains(told('"%lf\\n"', ", 1"), "it does not know `%lf`")
end)

t.test("several %s in a line of the trace pipe", function()
    local words = told('"%s %s\\n"', ", a, b")
    if words ~= "" then
        t.contains(words, "before Linux 5.13 it takes one `%s`, and it has 2")
    end
    -- The helper gives the length of the line that it wrote; before 5.13 the kernel had one text at most.
    local b = BPF({ text = [[
SEC("socket") int tell(struct __sk_buff *skb)
{
    char one[] = "one", two[] = "two";
    return bpf_trace_printk("%s %s\n", one, two);
}
]] })
    local length = b:test_run({ fn_name = "tell", data_in = ("\0"):rep(64) }).retval
    t.equal(length == 8 or length == 2 ^ 32 - 22, true)
end)
