-- SPDX-License-Identifier: Apache-2.0
-- What is inside an event: structs, arrays and wide numbers as values of their own, told by name, kept after the handler.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpgid(int pid);")

local TEXT = [[
enum state { IDLE, BUSY = 4, ALSO_BUSY = 4, GONE = -2 };
enum big { BIG_ONE = 0x8000000000000001ULL, BIGGEST = 0xffffffffffffffffULL };
struct leaf { u8 kind:3; s8 delta:5; u64 wide:40; s64 signed_wide:37; char c:4; } __attribute__((packed));
struct branch { u16 id; struct leaf leaves[2]; char names[2][8]; u8 mac[6]; } __attribute__((packed));
struct event_t {
    u32 pid;
    struct branch branch;
    struct { u16 x; struct { u8 deep; } inner; } anonymous_tag;
    union { u32 whole; u8 bytes[4]; } either;
    struct { u32 loose; };
    enum state state;
    enum state gone:4;
    enum big big, biggest;
    __int128 huge;
    unsigned __int128 huge_unsigned;
    u32 grid[2][3];
    double ratio;
    float single;
};
BPF_PERF_OUTPUT(events);
BPF_RINGBUF_OUTPUT(ring, 2);
BPF_HASH(by_event, struct event_t, struct branch, 8);
static __always_inline void fill(struct event_t *e)
{
    __builtin_memset(e, 0, sizeof(*e));
    e->pid = 7;
    e->branch.id = 0xabcd;
    e->branch.leaves[1].kind = 5;
    e->branch.leaves[1].delta = -16;
    e->branch.leaves[1].wide = 0xfedcba9876ULL;
    e->branch.leaves[1].signed_wide = -0xfffffffffLL;
    e->branch.leaves[1].c = -3;
    __builtin_memcpy(e->branch.names[1], "leaf", 5);
    e->branch.mac[0] = 0x52; e->branch.mac[5] = 0xff;
    e->anonymous_tag.x = 3; e->anonymous_tag.inner.deep = 4;
    e->either.whole = 0x01020304;
    e->loose = 11;
    e->state = BUSY; e->gone = GONE; e->big = BIG_ONE; e->biggest = BIGGEST;
    e->huge = -5; e->huge_unsigned = ((unsigned __int128)1 << 100) + 1;
    e->grid[1][2] = 12;
    *(u64 *)&e->ratio = 0x3ff8000000000000ULL; /* 1.5 */
    *(u32 *)&e->single = 0xc0200000; /* -2.5 */
}
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid)
{
    struct event_t e, *r;
    if (bpf_get_current_pid_tgid() >> 32 != SCRIPT)
        return 0;
    fill(&e);
    events.perf_submit(args, &e, sizeof(e));
    struct branch branch = e.branch;
    by_event.update(&e, &branch);
    r = ring.ringbuf_reserve(sizeof(*r));
    if (!r)
        return 0;
    fill(r);
    ring.ringbuf_submit(r, 0);
    return 0;
}
]]

local pid = tonumber(io.open("/proc/self/stat"):read("*a"):match("^%d+"))
local TEXT_OF_EVENT = '{pid = 7, branch = {id = 43981, leaves = {{kind = 0, delta = 0, wide = 0, signed_wide = 0, c = 0}, '
    .. '{kind = 5, delta = -16, wide = 1094624909430, signed_wide = -68719476735, c = -3}}, names = {"", "leaf"}, '
    .. 'mac = {82, 0, 0, 0, 0, 255}}, anonymous_tag = {x = 3, inner = {deep = 4}}, either = {whole = 16909060, '
    .. 'bytes = {4, 3, 2, 1}}, loose = 11, state = BUSY, gone = GONE, big = BIG_ONE, biggest = BIGGEST, huge = -5, '
    .. 'huge_unsigned = 1267650600228229401496703205377, grid = {{0, 0, 0}, {0, 0, 12}}, ratio = 1.5, single = -2.5}'
local JSON_OF_BRANCH = '{"id":43981,"leaves":[{"kind":0,"delta":0,"wide":0,"signed_wide":0,"c":0},{"kind":5,"delta":-16,'
    .. '"wide":1094624909430,"signed_wide":-68719476735,"c":-3}],"names":["","leaf"],"mac":[82,0,0,0,0,255]}'

local b = BPF({ text = TEXT, cflags = { "-DSCRIPT=" .. pid } })

-- Calls a function with the one event, while it is good.
local function with_event(map, open, fn)
    local seen = 0
    b[map][open](b[map], function(_, event)
        seen = seen + 1
        if seen == 1 then
            fn(event)
        end
    end)
    ffi.C.getpgid(0)
    local polls = 0
    while seen == 0 and polls < 100 do
        b:perf_buffer_poll(100)
        polls = polls + 1
    end
    t.equal(seen > 0, true)
end

local function check_values(event)
    t.equal(tostring(event), TEXT_OF_EVENT)
    t.equal(event:tuple(), TEXT_OF_EVENT)
    local leaf = event.branch.leaves[1]
    t.equal(leaf.kind == 5 and leaf.delta == -16 and leaf.wide == 0xfedcba9876ULL and leaf.signed_wide == -0xfffffffffLL, true)
    t.equal(leaf.c, -3)
    t.equal(event.either.whole == 0x01020304 and event.either.bytes[3] == 1 and event.loose == 11, true)
    t.equal(event.gone == -2 and event.state == 4 and event.big == 0x8000000000000001ULL, true)
    t.equal(event.ratio == 1.5 and event.single == -2.5 and event.grid[1][2] == 12, true)
    t.equal(event.huge == -5 and event.huge < 0 and event.huge <= -5LL and event.huge ~= 5, true)
    t.equal(event.huge_unsigned > event.huge and event.huge_unsigned > 0xffffffffffffffffULL, true)
end

-- The parts of an event answer as the event does.
local function check_parts(event)
    t.equal(tostring(event.branch.leaves[1]), "{kind = 5, delta = -16, wide = 1094624909430, signed_wide = -68719476735, c = -3}")
    t.equal(event.branch.leaves[0]:tuple(), "{kind = 0, delta = 0, wide = 0, signed_wide = 0, c = 0}")
    t.equal(json.encode(event.branch), JSON_OF_BRANCH)
    t.equal(json.encode(event.branch.mac) .. json.encode(event.grid) .. json.encode(event.branch.names), '[82,0,0,0,0,255][[0,0,0],[0,0,12]]["","leaf"]')
    t.equal(("%s %s %s"):format(event.branch.mac, event.grid, event.branch.names), '{82, 0, 0, 0, 0, 255} {{0, 0, 0}, {0, 0, 12}} {"", "leaf"}')
    t.equal(("%s %s"):format(event.huge, event.huge_unsigned), "-5 1267650600228229401496703205377")
    t.equal(json.encode({ event.huge, event.anonymous_tag }), '["-5",{"x":3,"inner":{"deep":4}}]')
    t.equal(event.branch == event.branch and event.branch:copy() == event.branch and event.branch ~= event.anonymous_tag, true)
end

local function check_names(event)
    t.equal(event:name_of("state") == "BUSY" and event:name_of("gone") == "GONE" and event:name_of("biggest") == "BIGGEST", true)
    t.contains(t.fails(event.name_of, event, "pid"), "it is a `u32`, and only enums have names")
    t.contains(t.fails(event.name_of, event, "stat"), "did you mean `state`?")
    t.contains(t.fails(event.name_of, event), "`name_of` needs the argument `member`")
    local wrong = {
        { function() return event.branhc end, "`struct event_t` has no member `branhc`", "`branch`" },
        { function() return event.branch.idd end, "`struct branch` has no member `idd`", "`id`" },
        { function() return event.branch.leaves[1].kin end, "`struct leaf` has no member `kin`", "`kind`" },
        { function() return event.anonymous_tag.y end, "`struct event_t.anonymous_tag` has no member `y`", "the members are inner, x" },
        { function() return event.anonymous_tag.inner.dep end, "`struct event_t.anonymous_tag.inner` has no member `dep`", "`deep`" },
        { function() return event.either.hole end, "`struct event_t.either` has no member `hole`", "`whole`" },
        { function() return event.huge.low end, "`__int128` has no member `low`", "`lo`" },
        { function() event.branch.idd = 1 end, "`struct branch` has no member `idd`", "`id`" },
    }
    for _, case in ipairs(wrong) do
        local message = t.fails(case[1])
        t.contains(message, case[2])
        t.contains(message, case[3])
        t.contains(message, "root_event_members.lua:")
    end
end

local function check_table(members)
    t.equal(members.pid == 7 and members.branch.id == 0xabcd and members.branch.leaves[2].delta == -16, true)
    t.equal(members.branch.leaves[2].wide == 0xfedcba9876ULL and members.branch.names[2] == "leaf", true)
    t.equal(#members.branch.mac == 6 and members.branch.mac[1] == 0x52 and members.branch.mac[6] == 0xff, true)
    t.equal(members.anonymous_tag.inner.deep == 4 and members.either.bytes[4] == 1 and members.loose == 11, true)
    t.equal(members.grid[2][3] == 12 and members.ratio == 1.5 and members.huge == -5, true)
    t.equal(json.encode(members.branch), '{"id":43981,"leaves":[{"c":0,"delta":0,"kind":0,"signed_wide":0,"wide":0},{"c":-3,"delta":-16,'
        .. '"kind":5,"signed_wide":-68719476735,"wide":1094624909430}],"mac":[82,0,0,0,0,255],"names":["","leaf"]}')
end

t.test("inside a handler", function()
    with_event("events", "open_perf_buffer", function(event)
        check_values(event)
        check_parts(event)
        check_names(event)
        check_table(event:to_table())
    end)
end)

t.test("what was kept stays when the buffer is written over", function()
    local members, branch, leaf, whole, copied
    with_event("ring", "open_ring_buffer", function(event)
        members, branch, leaf, whole = event:to_table(), event.branch:copy(), event.branch.leaves[1]:copy(), event:copy()
        copied = event:copy().branch
    end)
    -- More than the buffer of two pages holds.
    for _ = 1, 200 do
        ffi.C.getpgid(0)
        b:ring_buffer_consume()
    end
    collectgarbage()
    check_table(members)
    check_values(whole)
    t.equal(json.encode(branch), JSON_OF_BRANCH)
    t.equal(json.encode(copied), JSON_OF_BRANCH)
    t.equal(leaf.wide == 0xfedcba9876ULL, true)
end)

t.test("keys and values of maps", function()
    local key, value = b.by_event:items()()
    t.equal(tostring(key), TEXT_OF_EVENT)
    t.equal(json.encode(value), JSON_OF_BRANCH)
    t.equal(b.by_event[key] == value, true)
    t.equal(json.encode(b.by_event:Leaf(value:to_table())), JSON_OF_BRANCH)
    -- A table of the members is the same key; a named union takes one of its members.
    local members = key:to_table()
    t.contains(t.fails(b.by_event.get, b.by_event, members), "has one of its members")
    members.either = { whole = members.either.whole }
    t.equal(b.by_event[members] == value, true)
    local made = b.by_event:Leaf({ id = 1, leaves = { {}, { wide = 0xffffffffffULL, delta = -1, signed_wide = -2 ^ 36, c = -8 } } })
    t.equal(made.leaves[1].wide == 0xffffffffffULL and made.leaves[1].signed_wide == -0x1000000000LL and made.leaves[1].c == -8, true)
    -- Members that LuaJIT has no bit-fields for can be set like the others, and say what does not fit.
    made.leaves[0].wide = 5
    t.equal(tonumber(made.leaves[0].wide), 5)
    t.contains(t.fails(function() made.leaves[0].wide = 2 ^ 40 end), "a bit-field of 40 bits holds whole numbers")
    t.contains(t.fails(function() made.leaves[0].wide = "x" end), "`struct leaf`.wide does not take")
    b.by_event:clear()
end)

t.test("types of one layout keep their names apart", function()
    local c = BPF({
        text = [[
        enum fruit { APPLE, PEAR }; enum tool { HAMMER, SAW };
        struct first { enum fruit what; u32 n; }; struct second { enum tool what; u32 n; }; typedef struct first alias_t;
        BPF_ARRAY(firsts, struct first, 1); BPF_ARRAY(seconds, struct second, 1); BPF_ARRAY(aliases, alias_t, 1);
        ]],
    })
    t.equal(tostring(c.firsts[0]) .. tostring(c.seconds[0]), "{what = APPLE, n = 0}{what = HAMMER, n = 0}")
    t.contains(t.fails(function() return c.seconds[0].m end), "`struct second` has no member `m`")
    t.contains(t.fails(c.seconds.set, c.seconds, 0, c.firsts[0]), "it is a `struct second`, and this is a `struct first`")
    -- A typedef is the same struct.
    c.aliases[0] = c.firsts:Leaf({ what = "PEAR", n = 3 })
    c.firsts[0] = c.aliases[0]
    t.equal(tostring(c.firsts[0]), "{what = PEAR, n = 3}")
    c:close()
end)

t.test("arithmetic on floats is refused in words", function()
    local message = t.fails(BPF, { text = "BPF_ARRAY(out, double, 1);\nint f(void *ctx) { int zero = 0; double *d = out.lookup(&zero);\n"
        .. "if (d) *d = *d * 1.5; return 0; }" })
    t.contains(message, "`f` computes with floating-point numbers, which BPF has no instructions for")
end)
