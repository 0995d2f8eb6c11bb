-- SPDX-License-Identifier: Apache-2.0
-- Calls of maps where a rewriter of texts goes wrong: names of its own, arguments with effects, maps that are pointed to,
-- handed to functions and to the kernel's helpers, texts with brackets in strings.

local ffi = require("ffi")
local stderr = require("help.stderr")
local t = require("harness")

ffi.cdef([[
long syscall(long number, ...);
struct rewriter_attr { unsigned int fd, length; unsigned long long info; char rest[112]; };
struct rewriter_map_info {
    unsigned int type, id, key_size, value_size, max_entries, flags; char name[16];
    unsigned int ifindex, vmlinux_value_type_id; unsigned long long netns_dev, netns_ino;
    unsigned int btf_id, btf_key_type_id, btf_value_type_id;
};
]])

-- What the kernel says of a map (BPF_OBJ_GET_INFO_BY_FD).
local function info(map)
    local found = ffi.new("struct rewriter_map_info[1]")
    local attr = ffi.new("struct rewriter_attr", { map:get_fd(), ffi.sizeof(found), ffi.cast("uintptr_t", found) })
    local number = jit.arch == "x64" and 321 or 280
    t.equal(tonumber(ffi.C.syscall(number, ffi.cast("long", 15), attr, ffi.cast("long", ffi.sizeof(attr)))), 0)
    return found[0]
end

local PACKET = ("\0"):rep(64)

-- What a program on a packet of 64 bytes returns; the header of the link is not among its length.
local function result(text, fn_name)
    local b = BPF({ text = text })
    local value = b:test_run({ fn_name = fn_name or "f", data_in = PACKET }).retval
    b:cleanup()
    return value
end

local function on_packet(maps, body)
    return maps .. "\nSEC(\"socket\") int f(struct __sk_buff *skb) {\n" .. body .. "\n}"
end

t.test("names of the text's that an expansion has, too", function()
    local value = result(on_packet("BPF_HASH(h, u32, u64);", [[
    u32 leaf = 1, _key = 2, _zleaf = 4, key = 8, value = 9;
    u64 _leaf = 3, _val = 5, found = 0, *p;

    h.update(&leaf, &_leaf);
    h.insert(&_key, &_val);
    p = h.lookup_or_try_init(&_zleaf, &_val); if (p) found += *p;
    p = h.lookup_or_init(&leaf, &_val); if (p) found += *p * 10;
    p = h.lookup(&_key); if (p) found += *p * 100;
    h.increment(_key, _leaf); p = h.lookup(&_key); if (p) found += *p * 1000;
    h.update(&key, &(u64){ value }); p = h.lookup(&key); if (p) found += *p * 10000;
    return found + leaf + _key;]]))
    t.equal(value, 90000 + 8000 + 500 + 30 + 5 + 3)
end)

t.test("each argument has its effect once, in every method", function()
    local text = on_packet("BPF_HASH(h, u32, u64);\nBPF_ARRAY(calls, u64, 8);\nBPF_PERF_OUTPUT(events);\nBPF_QUEUE(q, u64, 8);", [[
    u32 key = 1;
    u64 value = 3, *p;

    h.update(KEY(0), VALUE(0));
    p = h.lookup(KEY(1));
    h.delete(KEY(2));
    p = h.lookup_or_try_init(KEY(3), VALUE(3));
    p = h.lookup_or_init(KEY(4), VALUE(4));
    h.insert(KEY(5), VALUE(5));
    h.increment(*KEY(6), *VALUE(6));
    q.push(VALUE(7), 0);
    events.perf_submit(skb, VALUE(7), sizeof(value));
    p = h.lookup(KEY(1));
    return p ? *p : 0;]])
    local HEAD = [[
#define KEY(n) ((u32 *)once(n, &key))
#define VALUE(n) ((u64 *)once(n, &value))
]]
    text = text:gsub("SEC", HEAD .. "static __always_inline void *once(int n, void *what) { calls.increment(n); return what; }\nSEC")
    local b = BPF({ text = text })
    -- 3 by lookup_or_try_init, and 3 by increment.
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 6)
    for slot, wanted in pairs({ [0] = 2, 2, 1, 2, 2, 2, 2, 2 }) do
        t.equal(tonumber(b.calls[slot]), wanted)
    end
    t.equal(b.q:pop(), 3ULL)
    b:cleanup()
end)

t.test("maps through pointers, in arrays, as parameters", function()
    local value = result(on_packet([[
BPF_HASH(h, u32, u64);
BPF_HASH(g, u32, u64);
static void add(typeof(h) *map, u32 key) { map->increment(key); }
static u64 get(typeof(h) map, u32 key) { u64 *p = map.lookup(&key); return p ? *p : 0; }]], [[
    u32 key = 1;
    u64 two = 2;
    typeof(h) *map = &h, *list[2] = { &h, &h };

    map->update(&key, &two);
    (*map).increment(key);
    (&h)->increment(key);
    list[skb->len & 1]->increment(key, 10);
    (skb->len ? h : h).increment(key, 100);
    add(&h, key);
    g.increment(key, 7);
    return get(h, key) * 10 + get(*(typeof(h) *)&h, key) % 10;]]))
    t.equal(value, 1155)
end)

t.test("a map's address, for helpers of the kernel's and functions of one's own", function()
    local text = on_packet([[
BPF_HASH(h, u32, u64);
BPF_HASH(g, u32, u64);
BPF_ARRAY(a, u64, 4);
struct event_t { u32 n; };
BPF_PERF_OUTPUT(events);
static __always_inline u64 get(void *map, u32 key) { u64 *p = bpf_map_lookup_elem(map, &key); return p ? *p : 99; }
static noinline u64 get_apart(struct bpf_map *map, u32 key) { u64 *p = bpf_map_lookup_elem(map, &key); return p ? *p : 99; }]], [[
    u32 key = 1;
    u64 five = 5, *p;
    struct event_t event = { 42 };

    h.increment(key);
    g.increment(key, 7);
    bpf_map_update_elem(&a, &key, &five, BPF_ANY);
    bpf_perf_event_output(skb, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
    p = a.lookup(&key);
    return get(&h, key) + 10 * get_apart((struct bpf_map *)&g, key) + 100 * (p ? *p : 0);]])
    local told, ok, b = stderr.of(function() return BPF({ text = text }) end)
    assert(ok, b)
    t.equal(told, "")
    local numbers = {}
    b.events:open_perf_buffer(function(_, event) numbers[#numbers + 1] = event[0] end, { ctype = "unsigned int" })
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 571)
    t.equal(b.a[1], 5ULL)
    b:perf_buffer_poll(1000)
    t.equal(table.concat(numbers, " "), "42")
    b:cleanup()
end)

t.test("brackets and commas inside of strings and literals", function()
    local value = result(on_packet("struct key_t { char text[8]; };\nBPF_HASH(h, struct key_t, u64);", [[
    struct key_t key = { "a,b)" };
    u64 five = 5, *p;

    h.increment(key);
    p = h.lookup(&(struct key_t){ "a,b)" });
    if (!p)
        return 0;
    p = h.lookup_or_try_init(&(struct key_t){ .text = { '(', ',', '"' } }, &five);
    return p ? *p : 0;]]))
    t.equal(value, 5)
end)

t.test("names longer than the kernel's, and names that are macros elsewhere", function()
    local b = BPF({ text = on_packet([[
BPF_HASH(a_map_whose_name_is_long_indeed_one, u32, u64);
BPF_HASH(a_map_whose_name_is_long_indeed_two, u32, u64, 5);
BPF_HASH(start, u32, u64);
BPF_HASH(min, u32, u64);
BPF_HASH(current, u32, u64);]], [[
    a_map_whose_name_is_long_indeed_one.increment(1);
    a_map_whose_name_is_long_indeed_two.increment(1, 4);
    start.increment(1, 2);
    min.increment(1, 3);
    current.increment(1, 5);
    return 0;]]) })
    b:test_run({ fn_name = "f", data_in = PACKET })
    t.equal(b.a_map_whose_name_is_long_indeed_one[1], 1ULL)
    t.equal(b.a_map_whose_name_is_long_indeed_two[1], 4ULL)
    t.equal(b.a_map_whose_name_is_long_indeed_two.max_entries, 5)
    t.equal(b.start[1] + b.min[1] + b.current[1], 10ULL)
    for _, name in ipairs({ "a_map_whose_name_is_long_indeed_one", "a_map_whose_name_is_long_indeed_two", "start", "min" }) do
        t.equal(ffi.string(info(b[name]).name), name:sub(1, 15))
    end
    b:cleanup()
end)

t.test("the kernel knows the types of keys and values", function()
    local b = BPF({ text = "struct key_t { u32 a, b; };\nBPF_HASH(h, struct key_t, u64, 7);\nBPF_HASH(g, struct key_t, struct key_t);\n" })
    local h, g = info(b.h), info(b.g)
    t.equal(h.btf_id > 0 and h.btf_id == g.btf_id, true)
    t.equal(h.btf_key_type_id > 0 and h.btf_value_type_id > 0, true)
    -- The same struct has one number, wherever it is.
    t.equal(g.btf_key_type_id, g.btf_value_type_id)
    t.equal(h.btf_key_type_id, g.btf_key_type_id)
    t.equal(h.btf_key_type_id ~= h.btf_value_type_id, true)
    t.equal(("%d %d %d"):format(h.key_size, h.value_size, h.max_entries), "8 8 7")
    b:cleanup()
end)

t.test("histograms are arrays by int, and hashes by all else", function()
    local b = BPF({ text = [[
struct key_t { u32 a; u64 slot; };
BPF_HISTOGRAM(plain);
BPF_HISTOGRAM(by_u32, u32);
BPF_HISTOGRAM(by_struct, struct key_t, 100);
BPF_TABLE("histogram", int, u64, table_plain, 32);
BPF_TABLE("histogram", struct key_t, u64, table_struct, 32);
]] })
    for name, wanted in pairs({
        plain = "array 64", by_u32 = "hash 64", by_struct = "hash 100", table_plain = "array 32", table_struct = "hash 32",
    }) do
        t.equal(("%s %d"):format(b[name].kind, b[name].max_entries), wanted)
    end
    b:cleanup()
    t.contains(t.fails(BPF, { text = 'BPF_TABLE("histogram", int, u32, a, 64);' }), "a histogram counts in u64")
end)

t.test("an extern map is the name space's own before it is the public one", function()
    local extern = 'BPF_TABLE("extern", u32, u64, rewriter_both, 8);'
    local public = BPF({ text = 'BPF_TABLE_PUBLIC("hash", u32, u64, rewriter_both, 8);' })
    local before = BPF({ text = extern, maps_ns = "rewriter" })
    local shared = BPF({ text = 'BPF_TABLE_SHARED("hash", u32, u64, rewriter_both, 8);', maps_ns = "rewriter" })
    local after = BPF({ text = extern, maps_ns = "rewriter" })
    public.rewriter_both[1], shared.rewriter_both[1] = 10, 20
    t.equal(before.rewriter_both[1], 10ULL)
    t.equal(after.rewriter_both[1], 20ULL)
    for _, b in ipairs({ public, before, shared, after }) do
        b:cleanup()
    end
end)

t.test("what cannot be is told in words", function()
    local refused = {
        [on_packet("", "BPF_HASH(inside, u32, u64);\nreturn 0;")] = "`BPF_HASH` stands inside of a function: maps are declared outside",
        [on_packet("", "BPF_PERF_OUTPUT(inside);\nreturn 0;")] = "`BPF_PERF_OUTPUT` stands inside of a function",
        ['BPF_TABLE("hsh", u32, u64, a, 64);'] = 'hint: similar: "hash"',
        ['BPF_TABLE("hash:/sys/fs/bpf/x", u32, u64, a, 64);'] = 'there is no map type "hash:/sys/fs/bpf/x"',
        [on_packet("BPF_HASH(f, u32, u64);", "return 0;")] = "redefinition of 'f'",
    }
    for text, words in pairs(refused) do
        t.contains(t.fails(BPF, { text = text }), words)
    end
end)
