-- SPDX-License-Identifier: Apache-2.0
-- Reads through pointers of every shape that C has, by every kind of probe: the structures lie in this process, so each
-- value is known.

local t = require("harness")
local ffi = require("ffi")

-- In LuaJIT's words and in C's: the same layout.
local SHAPES = [[
struct leaf { unsigned long long a; unsigned int b; short c; signed char d; };
union either { unsigned int word; unsigned char bytes[4]; };
struct shape {
	unsigned char u8; unsigned short u16; unsigned int u32; unsigned long long u64;
	signed char s8; short s16; int s32; long long s64; unsigned char flag;
	struct leaf leaf; struct leaf *pointer; struct leaf **pp; struct leaf *array[4]; int numbers[8];
	struct { int inner; union { int named; unsigned char first; }; };
	union either either; unsigned long long bits; struct shape *next; void *function; void *nothing;
	unsigned long long wide[2]; char text[16]; char *string; int (*rows)[3]; unsigned int count; unsigned short tail[?];
};
]]
ffi.cdef(SHAPES .. [[
#pragma pack(1)
struct packed { unsigned char a; unsigned int b; unsigned short c; unsigned long long d; };
#pragma pack()
long syscall(long number, ...);
int atoi(const char *text);
int getpid(void);
]])

-- LuaJIT has no bit fields as wide as 40 bits.
local C_SHAPES = SHAPES:gsub("unsigned char flag;", "_Bool flag;"):gsub("unsigned long long bits;", "struct bits bits;"):gsub("%?", "")
local TEXT = "struct bits { unsigned int u : 5; int s : 6; unsigned long long wide : 40; int tail : 3; };" .. C_SHAPES .. [[
struct packed { unsigned char a; unsigned int b; unsigned short c; unsigned long long d; } __attribute__((packed));
struct pair { struct leaf left; struct leaf *right; };
struct empty {};
union nothing {};
struct key { u32 a; u16 b; u8 c[2]; };

BPF_ARRAY(got, u64, 64 * 8);
BPF_HASH(by_pointer, struct shape *, u64);
BPF_HASH(pointers, u32, struct shape *);
BPF_HASH(pairs, u32, struct pair);
BPF_HASH(keyed, struct key, u64);
BPF_PERCPU_ARRAY(percpu, struct shape *, 1);
struct shape *volatile in_a_global;

#define SET(n, v) do { int k_ = base + (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define GET(p, member) ((p)->member)
#define TWICE(x) ((x) + (x))
#define CONTAINER(p, type, member) ((type *)((char *)(p) - __builtin_offsetof(type, member)))

static struct leaf *first(struct shape *s) { return s->array[0]; }
static struct leaf *either_of(struct shape *s, int which) {
	if (which > 1)
		return s->pointer;
	if (which == 1)
		return s->array[1];
	return *s->pp;
}
static noinline u64 apart(struct leaf *l) { return l->a + l->b; }
noinline u64 global_apart(struct shape *s) { return s ? s->leaf.a * 2 : 0; }
static noinline struct leaf *handed(struct shape *s) { return s->array[2]; }
static struct leaf by_value(struct shape *s) { return s->leaf; }
static u64 of_value(struct leaf l) { return l.a + l.b + l.c; }
static u64 level3(struct shape *s) { return s->next->next->u64; }
static u64 level2(struct shape *s) { return level3(s) + 1; }
static u64 level1(struct shape *s) { return level2(s) + 1; }

static __always_inline int sizes(int base, struct shape *s)
{
	SET(0, s->u8); SET(1, s->u16); SET(2, s->u32); SET(3, s->u64);
	SET(4, s->s8); SET(5, s->s16); SET(6, s->s32); SET(7, s->s64); SET(8, s->flag);
	SET(9, s->leaf.a); SET(10, s->pointer->d); SET(11, (*s->pp)->c); SET(12, s->array[3]->b);
	SET(13, s->numbers[5]); SET(14, s->inner); SET(15, s->named); SET(16, s->first); SET(17, s->either.bytes[1]);
	SET(18, s->bits.u); SET(19, s->bits.s); SET(20, s->bits.wide); SET(21, s->bits.tail);
	return 0;
}

static __always_inline int forms(int base, struct shape *s)
{
	struct shape **pp = &s;
	struct leaf (*row)[1] = (void *)&s->leaf;
	struct leaf copy = s->leaf;
	struct packed *packed = (void *)s->nothing;
	char text[16];
	int i = s->count & 7;

	SET(22, GET(GET(s, next), u32)); SET(23, TWICE(s->pointer->b)); SET(24, (*pp)[0].u16); SET(25, (*row)[0].b);
	SET(26, *(&s->numbers[1])); SET(27, s->numbers  [ 2 ]); SET(28, *(s->numbers + i)); SET(29, s->numbers[i]);
	SET(30, first(s)->a); SET(31, either_of(s, 0)->a + either_of(s, 1)->a + either_of(s, s->count)->a);
	SET(32, apart(s->pointer)); SET(33, global_apart(s)); SET(34, handed(s)->a); SET(35, of_value(by_value(s)));
	SET(36, copy.a + copy.b); SET(37, level1(s)); SET(38, CONTAINER(&s->leaf, struct shape, leaf)->u64);
	SET(39, !s->next->nothing); SET(40, s->function == (void *)0x1234); SET(41, (s->count ? s->pointer : first(s))->b);
	SET(42, packed->b); SET(43, packed->c); SET(44, packed->d); SET(45, s->tail[i]); SET(46, s->rows[1][2]);
	SET(47, *(volatile u32 *)&s->u32); SET(48, __atomic_load_n(&s->u64, __ATOMIC_RELAXED));
	unsigned __int128 wide = *(unsigned __int128 *)s->wide;
	SET(49, wide >> 64);
	__builtin_memcpy(text, s->text, sizeof(text));
	SET(50, text[1]); SET(51, s->string[2]); SET(52, __builtin_memcmp(s->text, "text of a shape", 8) == 0);
	SET(53, sizeof(struct empty) + sizeof(union nothing));
	return 0;
}

static __always_inline int control(int base, struct shape *s)
{
	u64 sum = 0;
	struct shape *at = s;
	struct leaf *stack[4];

	for (int i = 0; i < 8 && at; i++, at = at->next)
		sum += at->u32;
	SET(54, sum);
#pragma unroll
	for (int i = 0; i < 4; i++)
		stack[i] = s->array[i];
	SET(55, stack[s->count & 3]->a);
	switch (s->u8) {
	case 1: sum = s->u16; break;
	case 2: sum = s->u32; break;
	case 3: sum = s->pointer->a; break;
	case 4: sum = s->s32; break;
	case 200: sum = s->next->u64; break;
	default: sum = 0;
	}
	SET(56, sum);
	return 0;
}

static __always_inline int maps(int base, struct shape *s)
{
	u32 one = 1;
	int zero = 0;
	u64 n = s->u32, *found;
	struct pair pair = { .left = s->leaf, .right = s->pointer }, *kept;
	struct shape **held;

	by_pointer.update(&s, &n);
	if ((found = by_pointer.lookup(&s)))
		SET(57, *found);
	pointers.update(&one, &s);
	if ((held = pointers.lookup(&one)))
		SET(58, (*held)->pointer->a + (*held)[0].u8);
	pairs.update(&one, &pair);
	if ((kept = pairs.lookup(&one)))
		SET(59, kept->right->a + kept->left.a);
	percpu.update(&zero, &s);
	if ((held = percpu.lookup(&zero)))
		SET(60, (*held)->u16);
	in_a_global = s;
	SET(61, in_a_global->leaf.b);
	keyed.increment((struct key){ .a = s->u32, .b = s->u16 });
	keyed.update(&(struct key){ s->u32, s->u16, { 1, 2 } }, &s->u64);
	if ((found = keyed.lookup(&(struct key){ .a = s->u32, .b = s->u16, .c = { 1, 2 } })))
		SET(62, *found);
	return 0;
}

#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
#define AT(carrier) ((carrier) * 64)
RAW_TRACEPOINT_PROBE(sys_enter)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	return ctx->args[1] == NUMBER && MINE ? PART(AT(0), (struct shape *)PT_REGS_PARM1(regs)) : 0;
}
TRACEPOINT_PROBE(raw_syscalls, sys_enter)
{
	return args->id == NUMBER && MINE ? PART(AT(1), (struct shape *)args->args[0]) : 0;
}
SEC("tp_btf/sys_enter") int BPF_PROG(typed, struct pt_regs *regs, long id)
{
	return id == NUMBER && MINE ? PART(AT(2), (struct shape *)PT_REGS_PARM1(regs)) : 0;
}
int on_atoi(struct pt_regs *ctx, struct shape *s)
{
	return MINE ? PART(AT(3), s) : 0;
}
int on_register(struct pt_regs *ctx)
{
	return MINE ? PART(AT(4), (struct shape *)PT_REGS_PARM1(ctx)) : 0;
}
int syscall__getpgid(struct pt_regs *ctx, struct shape *s)
{
	return MINE ? PART(AT(5), s) : 0;
}
int on_call(struct pt_regs *ctx)
{
	struct pt_regs *regs = PT_REGS_SYSCALL_CTX(ctx);
	return MINE ? PART(AT(6), (struct shape *)PT_REGS_PARM1_SYSCALL(regs)) : 0;
}
]]

-- getpgid: it fails for what is no process, and harms nothing.
local NUMBER = ffi.arch == "x64" and 121 or 155

-- The structures, kept alive by `keep`.
local keep = {}
local function new(ctype, ...)
    local value = ffi.new(ctype, ...)
    keep[#keep + 1] = value
    return value
end

local leaves = new("struct leaf[4]", { { 100, 7, -8, -9 }, { 200, 8, 9, 10 }, { 300, 9 }, { 400, 10 } })
local packed = new("struct packed", { 1, 0xabcdef01, 0x2345, 0x1122334455667788ULL })
local last = new("struct shape", 0)
last.u64, last.u32, last.u16 = 0x7777777777ULL, 3, 5
local middle = new("struct shape", 0)
middle.next, middle.u32, middle.u64 = last, 20, 0x200000000ULL
local s = new("struct shape", 8)
s.u8, s.u16, s.u32, s.u64, s.s8, s.s16, s.s32, s.s64, s.flag = 200, 50000, 4000000000, 0xfedcba9876543210ULL, -1, -2, -3, -4, 1
s.leaf, s.pointer, s.next, s.count = { 11, 22, 33, 44 }, leaves, middle, 3
s.pp = new("struct leaf *[1]", { leaves + 2 })
for i = 0, 3 do
    s.array[i] = leaves + i
end
for i = 0, 7 do
    s.numbers[i], s.tail[i] = -i, 60000 + i
end
s.inner, s.named, s.either.word = 5, 0x12345678, 0xa1b2c3d4
s.bits = 21 + bit.lshift(64ULL - 17, 5) + bit.lshift(0xabcdef0123ULL, 11) + bit.lshift(8ULL - 2, 51)
s["function"], s.nothing = ffi.cast("void *", 0x1234), packed
s.wide[0], s.wide[1] = 1, 0x99
s.text, s.string = "text of a shape", ffi.cast("char *", new("char[8]", "string"))
s.rows = new("int[3][3]", { { 1, 2, 3 }, { 4, 5, 6 } })

local WANTED = {
    [0] = 200, 50000, 4000000000, 0xfedcba9876543210ULL, -1, -2, -3, -4, 1,
    11, -9, 0, 10, -5, 5, 0x12345678, 0x78, 0xc3, 21, -17, 0xabcdef0123ULL, -2,
    20, 14, 50000, 22, -1, -2, -3, -3, 100, 300 + 200 + 100, 107, 22, 300, 66, 33, 0x7777777777ULL + 2,
    0xfedcba9876543210ULL, 1, 1, 7, 0xabcdef01, 0x2345, 0x1122334455667788ULL, 60003, 6, 4000000000,
    0xfedcba9876543210ULL, 0x99, string.byte("e"), string.byte("r"), 1, 0,
    4000000023, 400, 0x200000000ULL, 4000000000, 300, 111, 50000, 22, 0xfedcba9876543210ULL,
}
local PARTS = { sizes = { 0, 21 }, forms = { 22, 53 }, control = { 54, 56 }, maps = { 57, 62 } }

local function u64(number)
    return type(number) == "number" and ffi.cast("uint64_t", ffi.cast("int64_t", number)) or ffi.cast("uint64_t", number)
end

local CARRIERS = { "raw tracepoint", "tracepoint", "tp_btf", "uprobe", "uprobe by register", "syscall__NAME", "kprobe" }

local function check(b, part, carrier, how)
    for slot = PARTS[part][1], PARTS[part][2] do
        local got, wanted = b.got[(carrier - 1) * 64 + slot], u64(WANTED[slot])
        if got ~= wanted then
            local where = ("%s, %s, slot %d"):format(part, how or CARRIERS[carrier], slot)
            error(("%s: got %s, wanted %s"):format(where, tostring(got), tostring(wanted)), 0)
        end
    end
end

local lacking = {}

for part in pairs(PARTS) do
    t.test(part, function()
        local flags = { "-DPART=" .. part, "-DPID=" .. ffi.C.getpid(), "-DNUMBER=" .. NUMBER }
        local b = BPF({ text = TEXT, cflags = flags })
        b:attach_uprobe({ name = "c", sym = "atoi", fn_name = "on_atoi", pid = ffi.C.getpid() })
        ffi.C.syscall(NUMBER, s)
        ffi.C.atoi(ffi.cast("const char *", s))
        b:detach_uprobe({ name = "c", sym = "atoi", pid = ffi.C.getpid() })
        b:attach_uprobe({ name = "c", sym = "atoi", fn_name = "on_register", pid = ffi.C.getpid() })
        ffi.C.atoi(ffi.cast("const char *", s))
        for carrier = 1, 5 do
            check(b, part, carrier)
        end
        local event = b:get_syscall_fnname("getpgid")
        for _, mechanism in ipairs({ "sys_enter", "kprobe", "fentry" }) do
            for carrier, fn_name in pairs({ [6] = "syscall__getpgid", [7] = "on_call" }) do
                local options = { event = event, fn_name = fn_name, mechanism = mechanism }
                if not lacking[mechanism] and t.attaches(mechanism, b.attach_kprobe, b, options) then
                    b.got:clear()
                    ffi.C.syscall(NUMBER, s)
                    check(b, part, carrier, fn_name .. " by " .. mechanism)
                    b:detach_kprobe({ event = event, fn_name = fn_name })
                else
                    lacking[mechanism] = true
                end
            end
        end
        b:cleanup()
    end)
end
