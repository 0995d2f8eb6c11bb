-- SPDX-License-Identifier: Apache-2.0
-- Which functions of a text are programs, and which are called by them: made by macros, static, with parameters that no
-- kernel gives, called through each other.

local t = require("harness")

local PACKET = ("\0"):rep(64)

local function result(text, fn_name)
    local b = BPF({ text = text })
    local value = b:test_run({ fn_name = fn_name or "f", data_in = PACKET }).retval
    b:cleanup()
    return value
end

local F = "SEC(\"socket\") int f(struct __sk_buff *skb) { "

t.test("programs that a macro makes", function()
    local b = BPF({ text = [[
#define COUNTER(n) \
    BPF_ARRAY(sum_##n, u64, 1); \
    int count_##n(struct __sk_buff *skb) { sum_##n.increment(0, n * skb->len); return n; }
COUNTER(1) COUNTER(2)
#define ALL(DO) DO(3) DO(4)
ALL(COUNTER)
]] })
    for n = 1, 4 do
        b:load_func("count_" .. n, BPF.SOCKET_FILTER)
        t.equal(b:test_run({ fn_name = "count_" .. n, data_in = PACKET }).retval, n)
        t.equal(b["sum_" .. n][0], n * 50ULL)
    end
    b:cleanup()
end)

t.test("functions that are called: static or not, before or behind, with any parameters", function()
    t.equal(result("static int g(int a) { return a * 2; } " .. F .. "return g(skb->len); }"), 100)
    t.equal(result("int g(int a) { return a * 2; } " .. F .. "return g(skb->len); }"), 100)
    t.equal(result("inline int g(int a) { return a * 2; } " .. F .. "return g(skb->len); }"), 100)
    t.equal(result("static int g(int a); " .. F .. "return g(skb->len); } static int g(int a) { return a * 3; }"), 150)
    -- These begin as programs do.
    t.equal(result("int g(struct __sk_buff *skb) { return skb->len + 1; } " .. F .. "return g(skb); }"), 51)
    t.equal(result("int g(struct __sk_buff *skb, u32 *n) { *n = skb->len; return 1; } " .. F .. "u32 n = 0; return g(skb, &n) + n; }"), 51)
    t.equal(result("struct two { u64 a, b; }; int g(struct pt_regs *ctx, struct two p) { return p.a + p.b; } "
        .. F .. "return g((void *)skb, (struct two){ 3, skb->len }); }"), 53)
    t.equal(result("static noinline int g(int a) { return a * 4; } int h(int a) { return g(a) + 1; } " .. F .. "return h(skb->len); }"), 201)
end)

t.test("one that is called and attached is both", function()
    local b = BPF({ text = "int g(struct __sk_buff *skb) { return skb->len + 1; } " .. F .. "return g(skb) * 2; }" })
    b:load_func("g", BPF.SOCKET_FILTER)
    t.equal(b:test_run({ fn_name = "g", data_in = PACKET }).retval, 51)
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 102)
    b:cleanup()
end)

t.test("a static function is no program, whatever it is called", function()
    local b = BPF({ text = "static int tracepoint__sched__sched_switch(void *ctx) { return 0; } " .. F .. "return 7; }" })
    t.equal(#b:probes(), 0)
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 7)
    t.contains(t.fails(b.load_func, b, "tracepoint__sched__sched_switch"), "no function `tracepoint__sched__sched_switch`")
    b:cleanup()
end)

t.test("parameters without names, and contexts that nobody looks at", function()
    local b = BPF({ text = [[
int one(struct pt_regs *ctx, int a, int) { return a; }
int two(struct pt_regs *ctx, struct task_struct *) { return 0; }
int three(struct pt_regs *) { return 0; }
int four(void) { return 0; }
void five(struct pt_regs *ctx, u8 a, bool b, s16 c, long long d) { }
int six(struct pt_regs *ctx, int a, int b, int c, int d, int e, int last) { return last; }
]] })
    for _, name in ipairs({ "one", "two", "three", "four", "five", "six" }) do
        t.equal(b:load_func(name, BPF.KPROBE).fd > 0, true)
    end
    b:cleanup()
end)

t.test("parameters that no register has", function()
    local function refused(parameters)
        return t.fails(BPF, { text = ("struct two { u64 a, b; }; struct four { u64 a[4]; };\nint f(struct pt_regs *ctx, %s) { return 0; }"):format(parameters) })
    end
    t.contains(refused("int a, struct two b"), "parameter 3 of `f` is a struct by value, which does not arrive in a register")
    t.contains(refused("struct four b"), "parameter 2 of `f` is a struct by value, which does not arrive in a register")
    t.contains(refused("double a"), "parameter 2 of `f` is a number with fractions, which arrives in a register that probes do not see")
    t.contains(refused("unsigned __int128 a"), "parameter 2 of `f` is an integer of more than 64 bits")
    t.contains(refused("int a, int b, int c, int d, int e, int g, int h"), "`f` takes 7 parameters behind its context; only the first 6 of a function are in registers")
    t.contains(t.fails(BPF, { text = "int f(struct __sk_buff *skb, int n) { return n; }" }), "`f` takes a parameter behind its context; this kind of program has none")
end)

t.test("calls through pointers: what is known when it compiles, and what is not", function()
    local two = "static int one(int a) { return a + 1; } static int two(int a) { return a + 2; } "
    t.equal(result(two .. F .. "int (*p)(int) = two; return p(1); }"), 3)
    local err = t.fails(result, two .. F .. "int (*p)(int) = skb->len & 1 ? one : two; return p(1); }")
    -- Kernels before 5.13 stop at the functions' addresses.
    if not err:find("func_info", 1, true) then
        t.contains(err, "it calls through a pointer, which BPF cannot")
        t.contains(err, "hint: call the function by its name")
    end
end)

t.test("what BPF has no functions for", function()
    local sum = "#include <stdarg.h>\nstatic __always_inline int sum(int n, ...)\n{\n    va_list list;\n\n    va_start(list, n);\n    n = va_arg(list, int);\n"
        .. "    va_end(list);\n    return n;\n}\n"
    local err = t.fails(BPF, { text = sum .. F .. "return sum(1, 2); }" })
    t.contains(err, "1 error\n")
    t.contains(err, "BPF has no functions with a variable number of arguments")
    t.contains(err, ">     va_start(list, n);")
end)

t.test("switches of many cases", function()
    local cases = {}
    for i = 0, 79 do
        cases[#cases + 1] = ("case %d: return %d;"):format(i, i * 7 % 101)
    end
    t.equal(result(F .. "switch (skb->len) { " .. table.concat(cases, " ") .. " } return 200; }"), 50 * 7 % 101)
end)

t.test("variables of the text's, at file scope and in functions", function()
    local b = BPF({ text = [[
int total = 5;
static const int table[4] = { 1, 2, 3, 4 };
const char name[] = "abc";
]] .. F .. "static int calls; total += table[skb->len & 3]; return total * 1000 + name[1] + ++calls; }" })
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 8000 + ("b"):byte() + 1)
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 11000 + ("b"):byte() + 2)
    t.equal(b.vars.total, 11)
    b:cleanup()
end)
