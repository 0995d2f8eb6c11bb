-- SPDX-License-Identifier: Apache-2.0
-- What the methods of maps with keys and values do, kind by kind, checked from outside.

local t = require("harness")

local packet = ("\0"):rep(64)

local function run(b, name)
    return b:test_run({ fn_name = name, data_in = packet }).retval
end

-- A program's result, which is unsigned, as the int that it was.
local function signed(value)
    return value >= 2 ^ 31 and value - 2 ^ 32 or value
end

t.test("increment creates a key in every kind of hash, and in no other map", function()
    local b = BPF({ text = [[
struct prefix { u32 bits; u8 address[4]; };
BPF_HASH(hash, u32, u64, 8);
BPF_PERCPU_HASH(percpu_hash, u32, u64, 8);
BPF_LRU_HASH(lru_hash, u32, u64, 8);
BPF_LRU_PERCPU_HASH(lru_percpu_hash, u32, u64, 8);
BPF_HISTOGRAM(dist, u32, 8);
BPF_ARRAY(array, u64, 8);
BPF_PERCPU_ARRAY(percpu_array, u64, 8);
BPF_LPM_TRIE(trie, struct prefix, u64, 8);
BPF_TABLE("hash", u32, u64, table_hash, 8);
BPF_TABLE("lru_percpu_hash", u32, u64, table_lru, 8);
BPF_TABLE("array", int, u64, table_array, 8);
BPF_TABLE("lpm_trie", struct prefix, u64, table_trie, 8);
#define EACH(DO) DO(hash) DO(percpu_hash) DO(lru_hash) DO(lru_percpu_hash) DO(dist) DO(array) DO(percpu_array) \
                 DO(table_hash) DO(table_lru) DO(table_array)
#define COUNT(map) map.increment(3); map.increment(3, 4); map.atomic_increment(3); map.atomic_increment(3, 10);

SEC("socket") int count(struct __sk_buff *skb) {
    struct prefix prefix = { 32, { 10, 0, 0, 1 } };
    EACH(COUNT)
    trie.increment(prefix);
    table_trie.increment((struct prefix){ 32, { 10, 0, 0, 1 } }, 2);
    return 0;
}]] })
    run(b, "count")
    run(b, "count")
    for _, name in ipairs({ "hash", "lru_hash", "dist", "array", "table_hash", "table_array" }) do
        t.equal(b[name][3], 32ULL)
    end
    for _, name in ipairs({ "percpu_hash", "lru_percpu_hash", "percpu_array", "table_lru" }) do
        t.equal(b[name][3]:sum(), 32ULL)
    end
    t.equal(#b.hash + #b.dist + #b.lru_hash, 3)
    t.equal(#b.trie + #b.table_trie, 0)
    b.trie[{ bits = 8, address = { 10 } }] = 5
    b.table_trie[{ bits = 0 }] = 5
    run(b, "count")
    t.equal(b.trie[{ bits = 32, address = { 10, 1, 1, 1 } }], 6ULL)
    t.equal(b.table_trie[{ bits = 32, address = { 99 } }], 7ULL)
end)

t.test("every width of number is counted, its neighbours are not touched", function()
    local b = BPF({ text = [[
BPF_HASH(bytes, u32, u8);
BPF_HASH(shorts, u32, u16);
BPF_HASH(ints, u32, int);
BPF_ARRAY(slots, u16, 4);
BPF_PERCPU_ARRAY(percpu, u32, 4);
SEC("socket") int count(struct __sk_buff *skb) {
    bytes.increment(1, 255); bytes.increment(1, 3);
    shorts.increment(1, 300); shorts.atomic_increment(1);
    ints.increment(1, -5); ints.increment(1, 2);
    slots.increment(2); slots.increment(2, 65535);
    percpu.increment(1); percpu.atomic_increment(1, 6);
    return 0;
}]] })
    run(b, "count")
    t.equal(b.bytes[1], 2)
    t.equal(b.shorts[1], 301)
    t.equal(b.ints[1], -3)
    t.equal(b.slots[2], 0)
    t.equal(b.slots[3], 0)
    t.equal(b.percpu[1]:sum(), 7)
end)

t.test("insert keeps what is there, update does not, delete says whether it was", function()
    local b = BPF({ text = [[
BPF_HASH(h, u32, u64, 8);
BPF_ARRAY(results, int, 8);
SEC("socket") int steps(struct __sk_buff *skb) {
    u32 key = 1;
    u64 one = 1, two = 2;
    int at = 0, got;
    got = h.insert(&key, &one); results.update(&at, &got); at++;
    got = h.insert(&key, &two); results.update(&at, &got); at++;
    got = h.update(&key, &two); results.update(&at, &got); at++;
    key = 2;
    got = h.delete(&key); results.update(&at, &got); at++;
    key = 1;
    u64 *value = h.lookup(&key);
    return value ? *value : 99;
}
SEC("socket") int remove(struct __sk_buff *skb) {
    u32 key = 1;
    return h.delete(&key);
}]] })
    t.equal(run(b, "steps"), 2)
    t.equal(b.results[0], 0)
    t.equal(b.results[1], -17) -- EEXIST
    t.equal(b.results[2], 0)
    t.equal(b.results[3], -2) -- ENOENT
    t.equal(b.h:lost(), 0)
    t.equal(run(b, "remove"), 0)
    t.equal(#b.h, 0)
    t.equal(signed(run(b, "remove")), -2)
end)

t.test("lookup_or_try_init and lookup_or_init come back, also when there is no room", function()
    local b = BPF({ text = [[
BPF_HASH(h, u32, u64, 2);
BPF_ARRAY(after, u64, 2);
SEC("socket") int old_way(struct __sk_buff *skb) {
    u32 key = skb->len;
    u64 zero = 7, *value = h.lookup_or_init(&key, &zero);
    after.increment(0);
    if (value)
        (*value)++;
    return !value;
}
SEC("socket") int new_way(struct __sk_buff *skb) {
    u32 key = skb->len;
    u64 zero = 7, *value = h.lookup_or_try_init(&key, &zero);
    after.increment(1);
    if (value)
        (*value)++;
    return !value;
}]] })
    local function with(name, length)
        return b:test_run({ fn_name = name, data_in = ("\0"):rep(14 + length) }).retval
    end
    t.equal(with("old_way", 50), 0)
    t.equal(with("new_way", 50), 0)
    t.equal(b.h[50], 9ULL)
    t.equal(with("new_way", 51), 0)
    t.equal(b.h[51], 8ULL)
    t.equal(with("old_way", 52), 1)
    t.equal(with("new_way", 52), 1)
    t.equal(b.after[0], 2ULL)
    t.equal(b.after[1], 3ULL)
    t.equal(b.h:lost(), 2)
end)

t.test("methods in macros, helper functions and expressions; arguments are evaluated once", function()
    local b = BPF({ text = [[
struct key { u32 a, b; };
BPF_HASH(h, u32, u64, 64);
BPF_HASH(structs, struct key, u64, 64);
BPF_ARRAY(calls, u64, 4);

#define INCREMENT(map, key) map.increment(key)
#define LOOKUP(map, key) ({ typeof(key) k_ = (key); map.lookup(&k_); })
#define TWICE(statement) do { statement; statement; } while (0)

static u32 next(void) {
    calls.increment(0);
    return 5;
}

static __always_inline u64 *find(u32 key) {
    return h.lookup(&key);
}

static int set(u32 key, u64 value) {
    return h.update(&key, &value);
}

SEC("socket") int all(struct __sk_buff *skb) {
    u32 keys[4] = { 1, 2, 3, 4 }, *key = keys;
    u64 one = 1;

    TWICE(INCREMENT(h, 100));
    if (LOOKUP(h, (u32)100) && !LOOKUP(h, (u32)101) && !set(101, 4)) {
        u64 *there = find(101);
        h.increment(101, there ? *there : 0);
    }
    h.update(key++, &one);
    h.insert(key++, &one);
    h.lookup_or_try_init(key++, &one);
    h.increment(*key++);
    h.increment(next());
    h.increment(next(), 10);
    h.atomic_increment((next()), 100);
    structs.increment((struct key){ 1, 2 });
    structs.increment(((struct key){ next(), 3 }), 2);
    structs.atomic_increment((struct key){ .b = 9, .a = 8 }, 3);
    return key - keys;
}]] })
    t.equal(run(b, "all"), 4)
    t.equal(b.h[100], 2ULL)
    t.equal(b.h[101], 8ULL)
    for key = 1, 4 do
        t.equal(b.h[key], 1ULL)
    end
    t.equal(b.h[5], 111ULL)
    t.equal(b.calls[0], 4ULL)
    t.equal(b.structs[{ a = 1, b = 2 }], 1ULL)
    t.equal(b.structs[{ a = 5, b = 3 }], 2ULL)
    t.equal(b.structs[{ a = 8, b = 9 }], 3ULL)
    t.equal(#b.h, 7)
end)

t.test("an LRU map never says it is full", function()
    local b = BPF({ text = [[
BPF_LRU_HASH(old, u32, u32, 256);
BPF_TABLE("lru_percpu_hash", u32, u32, percpu, 256);
SEC("socket") int add(struct __sk_buff *skb) {
    u32 key = skb->len;
    if (old.update(&key, &key) || percpu.update(&key, &key))
        return 1;
    return 0;
}]] })
    for length = 50, 1449 do
        t.equal(b:test_run({ fn_name = "add", data_in = ("\0"):rep(14 + length) }).retval, 0)
    end
    t.equal(#b.old <= 256 and #b.old > 0, true)
    t.equal(#b.percpu <= 256 and #b.percpu > 0, true)
    t.equal(b.old[1449], 1449)
    t.equal(b.percpu[1449]:max(), 1449)
    t.equal(b.old[50], nil)
    t.equal(b.old:lost(), 0)
end)

t.test("a longest-prefix trie finds the longest, IPv4 and IPv6", function()
    local b = BPF({ text = [[
struct v4 { u32 bits; u8 data[4]; };
struct v6 { u32 bits; u8 data[16]; };
BPF_LPM_TRIE(trie4, struct v4, int, 16);
BPF_TABLE("lpm_trie", struct v6, int, trie6, 16);
BPF_ARRAY(ask4, struct v4, 1);
BPF_ARRAY(ask6, struct v6, 1);
SEC("socket") int find4(struct __sk_buff *skb) {
    int zero = 0, *found;
    struct v4 *ask = ask4.lookup(&zero);
    if (!ask)
        return 0;
    struct v4 key = *ask;
    found = trie4.lookup(&key);
    return found ? *found : 0;
}
SEC("socket") int find6(struct __sk_buff *skb) {
    int zero = 0, *found;
    struct v6 *ask = ask6.lookup(&zero);
    if (!ask)
        return 0;
    struct v6 key = *ask;
    found = trie6.lookup(&key);
    return found ? *found : 0;
}]] })
    b.trie4[{ bits = 0 }] = 1
    b.trie4[{ bits = 8, data = { 10 } }] = 2
    b.trie4[{ bits = 16, data = { 10, 1 } }] = 3
    b.trie4[{ bits = 32, data = { 10, 1, 2, 3 } }] = 4
    local function ask4(...)
        b.ask4[0] = { bits = 32, data = { ... } }
        return run(b, "find4")
    end
    t.equal(ask4(192, 168, 0, 1), 1)
    t.equal(ask4(10, 9, 0, 1), 2)
    t.equal(ask4(10, 1, 9, 9), 3)
    t.equal(ask4(10, 1, 2, 3), 4)
    t.equal(b.trie4[{ bits = 32, data = { 10, 1, 2, 4 } }], 3)
    b.trie4[{ bits = 0 }] = nil
    t.equal(ask4(192, 168, 0, 1), 0)
    t.equal(#b.trie4, 3)
    t.contains(t.fails(function() b.trie4[{ bits = 33 }] = 1 end), "cannot update map `trie4`")

    b.trie6[{ bits = 16, data = { 0x20, 0x01 } }] = 1
    b.trie6[{ bits = 64, data = { 0x20, 0x01, 0x0d, 0xb8 } }] = 2
    local function ask6(...)
        b.ask6[0] = { bits = 128, data = { ... } }
        return run(b, "find6")
    end
    t.equal(ask6(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8), 2)
    t.equal(ask6(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1), 1)
    t.equal(ask6(0xfe, 0x80), 0)
    for i = 4, 16 do
        b.trie4:set({ bits = 32, data = { 1, 1, 1, i } }, i)
    end
    t.contains(t.fails(function() b.trie4[{ bits = 32, data = { 2 } }] = 1 end), "it is full (16 elements)")
end)

t.test("a per-CPU map has a value for each CPU", function()
    local b = BPF({ text = [[
struct pair { u64 calls; u32 cpu; };
BPF_PERCPU_ARRAY(where, struct pair, 2);
BPF_PERCPU_HASH(small, u32, u16, 8);
SEC("socket") int here(struct __sk_buff *skb) {
    int zero = 0;
    struct pair *pair = where.lookup(&zero);
    if (!pair)
        return 1;
    pair->calls++;
    pair->cpu = bpf_get_smp_processor_id();
    small.increment(7, 3);
    return 0;
}]] })
    for _ = 1, 20 do
        run(b, "here")
    end
    local calls, value = 0, b.where[0]
    for cpu = 0, #value - 1 do
        calls = calls + tonumber(value[cpu].calls)
        if value[cpu].calls > 0 then
            t.equal(value[cpu].cpu, cpu)
        end
    end
    t.equal(calls, 20)
    t.equal(b.small[7]:sum(), 60)
    t.equal(#b.small, 1)
end)

t.test("what is too large for a per-CPU map is said when it is created", function()
    t.contains(t.fails(BPF, { text = "struct big { char bytes[40000]; }; BPF_PERCPU_ARRAY(m, struct big, 1);" }),
        "cannot create map `m`")
    t.contains(t.fails(BPF, { text = "BPF_HASH(m, u32, u64, 0);" }), "it must have room for at least one element")
end)
