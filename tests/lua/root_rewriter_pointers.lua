-- SPDX-License-Identifier: Apache-2.0
-- Pointers to the kernel's memory where a rewriter of texts goes wrong: addresses of members, helpers by their older names,
-- dereferences in macros, variables that hold now this and now that, pointers out of maps; each value against the process itself.

local ffi = require("ffi")
local getpgid = require("help.getpgid")
local t = require("harness")

local PID = ffi.C.getpid()
local PARENT = tonumber((io.open("/proc/self/stat"):read("*l"):gsub("^%d+ %b() ", ""):match("^%S+ (%d+)")))
local COMM = io.open("/proc/self/comm"):read("*l")

local HEAD = [[
BPF_ARRAY(got, u64, 32);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define TASK ((struct task_struct *)bpf_get_current_task())
]]

-- What the body sets, after one call; `before` stands outside of the program.
local function run(before, body)
    local b = BPF({ text = HEAD .. before .. getpgid.on("ON_GETPGID ") .. "struct task_struct *t = TASK;\n" .. body .. "\nreturn 0; }",
        cflags = { "-DPID=" .. PID } })
    getpgid.call()
    return b
end

local function check(before, body, wanted)
    local b = run(before, body)
    local list = {}
    for slot = 0, #wanted - 1 do
        list[#list + 1] = tonumber(b.got[slot])
    end
    t.equal(table.concat(list, " "), table.concat(wanted, " "))
    b:cleanup()
end

t.test("the address of a member is no read", function()
    check("", [[
    u32 *tgid = &t->tgid;
    struct task_struct **parent = &t->real_parent;

    SET(0, (u64)&t->tgid - (u64)t == offsetof(struct task_struct, tgid));
    SET(1, *tgid);
    SET(2, (u64)&t->real_parent->comm[2] - (u64)t->real_parent->comm);
    SET(3, (*parent)->tgid);
    SET(4, (*&(*&t)->real_parent)->tgid);
    SET(5, (u64)t->comm == (u64)&t->comm[0]);]], { 1, PID, 2, PARENT, PARENT, 1 })
end)

t.test("what bpf_probe_read is given is as it stands", function()
    check("", [[
    u32 a = 0, b = 0, c = 0;
    u64 parent = 0;
    char text[16];

    bpf_probe_read(&a, sizeof(a), &t->tgid);
    bpf_probe_read_kernel(&b, sizeof(b), &t->real_parent->tgid);
    bpf_probe_read(&parent, sizeof(parent), &t->real_parent);
    bpf_probe_read(&c, sizeof(c), &((struct task_struct *)parent)->tgid);
    SET(0, a); SET(1, b); SET(2, ((struct task_struct *)parent)->tgid); SET(3, c);
    bpf_probe_read(text, sizeof(text), t->comm);
    SET(4, text[0]);
    bpf_probe_read(&text, sizeof(text), (void *)t->real_parent->real_parent ? t->comm : 0);
    SET(5, text[1]);
    SET(6, bpf_probe_read_str(text, sizeof(text), t->comm));]], { PID, PARENT, PARENT, PARENT, COMM:byte(1), COMM:byte(2), #COMM + 1 })
end)

t.test("dereferences in macros, of macros' arguments", function()
    check([[
#define AT(p) *p
#define SUM(p, q) (*(p) + *(q))
#define FIELD(p, f) p->f
#define CHAIN(p, f, g) FIELD(FIELD(p, f), g)
]], [[
    u32 *tgid = &t->tgid, *parents = &t->real_parent->tgid;

    SET(0, AT(tgid));
    SET(1, SUM(tgid, parents));
    SET(2, AT(&t->tgid));
    SET(3, CHAIN(t, real_parent, tgid));
    SET(4, FIELD(t, comm)[1]);
    SET(5, AT(FIELD(t, comm)));]], { PID, PID + PARENT, PID, PARENT, COMM:byte(2), COMM:byte(1) })
end)

t.test("a variable that holds the program's memory before and after", function()
    check([[
struct holder_t { u32 *place; u64 n; };
]], [[
    u32 local = 5, *p = &local;
    struct holder_t one = {}, two = {};

    SET(0, *p);
    p = (u32 *)&t->tgid;
    SET(1, *p);
    p = &local;
    *p = 9;
    SET(2, local);
    // The field of one holds the kernel's memory, that of the other the stack's.
    one.place = (u32 *)&t->tgid;
    two.place = &local;
    SET(3, *one.place);
    *two.place += 1;
    SET(4, *two.place);
    p = bpf_get_prandom_u32() & 1 ? (u32 *)&t->tgid : &local;
    SET(5, *p == PID || *p == 10);]], { 5, PID, 9, PID, 10, 1 })
end)

t.test("pointers that move, with effects that happen once", function()
    check("", [[
    u32 *p = (u32 *)&t->tgid;
    char *text = t->comm;
    int i = 0;

    SET(0, p[i++]); SET(1, i);
    SET(2, *p++); SET(3, (u64)p - (u64)&t->tgid); SET(4, *--p);
    SET(5, *(text += 1)); SET(6, text - t->comm); SET(7, text  [ -1 ]);]],
        { PID, 1, PID, 4, PID, COMM:byte(2), 1, COMM:byte(1) })
end)

t.test("arrays of arrays, by constants and by numbers read", function()
    local release = io.open("/proc/sys/kernel/osrelease"):read("*l")
    check([[
static int two(struct task_struct *t) { return t->tgid == PID ? 2 : 0; }
]], [[
    // Six texts of 65 characters: the release is the third.
    char (*texts)[65] = (void *)&t->nsproxy->uts_ns->name;
    int i = two(t);

    SET(0, t->nsproxy->uts_ns->name.sysname[3]);
    SET(1, texts[0][0]); SET(2, texts[2][0]); SET(3, (*(texts + 2))[1]); SET(4, texts[i][i]);
    SET(5, *(*(texts + i) + 1)); SET(6, sizeof(texts[0]));]],
        { ("u"):byte(), ("L"):byte(), release:byte(1), release:byte(2), release:byte(3), release:byte(2), 65 })
end)

t.test("qualifiers, and types taken of expressions that are not read", function()
    check("", [[
    const volatile struct task_struct *shy = (void *)t;
    struct task_struct *const volatile fixed = t;
    typeof(t->tgid) copy = t->tgid;
    typeof(*t) *same = t;

    SET(0, shy->tgid); SET(1, fixed->tgid); SET(2, READ_ONCE(t->tgid)); SET(3, copy); SET(4, same->tgid);
    SET(5, sizeof(t->real_parent->comm)); SET(6, _Alignof(typeof(t->tgid)));
    SET(7, __builtin_types_compatible_p(typeof(t->real_parent->tgid), pid_t));]], { PID, PID, PID, PID, PID, 16, 4, 1 })
end)

t.test("pointers out of maps, by every method that gives one", function()
    check([[
struct kept_t { struct task_struct *task; u32 n; };
BPF_HASH(tasks, u32, struct task_struct *);
BPF_HASH(kept, u32, struct kept_t);
BPF_HASH(numbers, u32, u64);
BPF_HASH(never, u32, struct task_struct *);
]], [[
    u32 one = 1, two = 2;
    struct task_struct *none = 0, **place;
    struct kept_t k = { .task = t, .n = 7 }, *found;
    u64 number = (u64)t, *there;

    tasks.update(&one, &t);
    if ((place = tasks.lookup(&one))) { SET(0, (*place)->tgid); SET(1, (*place)->real_parent->tgid); SET(2, place[0]->tgid); }
    if ((place = tasks.lookup_or_try_init(&one, &none))) SET(3, (*place)->tgid);
    if ((place = tasks.lookup_or_init(&two, &t))) SET(4, (*place)->tgid);
    // The value is the map's memory: written directly. What its member points to is the kernel's.
    kept.update(&one, &k);
    if ((found = kept.lookup(&one))) { SET(5, found->task->tgid); SET(6, found->n); found->n += 5; SET(7, found->n); }
    numbers.update(&one, &number);
    if ((there = numbers.lookup(&one))) SET(8, ((struct task_struct *)*there)->tgid);
    // Nothing of the kernel's ever goes into this one through a name that says so.
    never.insert(&one, (struct task_struct **)&number);
    if ((place = never.lookup(&one))) SET(9, (*place)->tgid);]], { PID, PARENT, PID, PID, PID, PID, 7, 12, PID, PID })
end)
