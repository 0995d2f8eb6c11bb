-- SPDX-License-Identifier: Apache-2.0
-- What maps do not take from the C text is counted, and told.

local t = require("harness")

local text = [[
BPF_HASH(updated, u64, u64, 4);
BPF_HASH(inserted, u64, u64, 4);
BPF_HASH(counted, u64, u64, 4);
BPF_HASH(initialised, u64, u64, 4);
BPF_ARRAY(slots, u64, 4);
BPF_HISTOGRAM(dist, int, 4);
BPF_TABLE("hash", u64, u64, table1, 4);
BPF_TABLE("array", int, u64, table2, 4);
BPF_PERCPU_HASH(percpu, u64, u64, 4);
BPF_LRU_HASH(lru, u64, u64, 4);
BPF_LPM_TRIE(prefixes, struct { u32 bits; u32 address; }, u64, 4);
BPF_QUEUE(queue, u64, 4);
BPF_RINGBUF_OUTPUT(ring, 1);
BPF_HASH(untouched, u64, u64, 4);
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, u64);
    __type(value, u64);
    __uint(max_entries, 4);
} raw SEC(".maps");

SEC("socket") int fill(struct __sk_buff *skb) {
    int i = skb->len - 50; // without the Ethernet header
    u64 key = i, value = 1;

    updated.update(&key, &value);
    inserted.insert(&key, &value);
    inserted.insert(&key, &value);
    counted.increment(i);
    counted.atomic_increment(i, 2);
    initialised.lookup_or_try_init(&key, &value);
    slots.update(&i, &value);
    dist.increment(i);
    table1.increment(i);
    table2.increment(i);
    percpu.increment(i);
    lru.increment(i);
    prefixes.increment((__bpflua_prefixes_k){ 32, i });
    queue.push(&key, 0);
    bpf_map_update_elem(&raw, &key, &value, 0);
    return 0;
}

SEC("socket") int fill_ring(struct __sk_buff *skb) {
    char record[504] = {};

    for (int i = 0; i < 10; i++)
        ring.ringbuf_output(record, sizeof(record), 0);
    return 0;
}
]]

local b = BPF({ text = text })
for i = 0, 9 do
    b:test_run({ fn_name = "fill", data_in = ("\0"):rep(64 + i) })
end
b:test_run({ fn_name = "fill_ring", data_in = ("\0"):rep(64) })

t.test("every method counts what a full map does not take", function()
    t.equal(b.updated:lost(), 6)
    t.equal(b.inserted:lost(), 12)
    t.equal(b.counted:lost(), 12)
    t.equal(b.initialised:lost(), 6)
    t.equal(b.slots:lost(), 6)
    t.equal(b.dist:lost(), 6)
    t.equal(b.table1:lost(), 6)
    t.equal(b.table2:lost(), 6)
    t.equal(b.percpu:lost(), 6)
    t.equal(b.queue:lost(), 6)
    -- Of 4096 bytes, each record takes 512 with its header; they are never all used.
    t.equal(b.ring:lost(), 3)
end)

t.test("what is kept plus what is lost is what was counted", function()
    local kept = 0
    for _, value in b.counted:items() do
        kept = kept + tonumber(value)
    end
    t.equal(kept, 4 * 3)
    kept = 0
    for _, value in b.dist:items() do
        kept = kept + tonumber(value)
    end
    t.equal(kept + b.dist:lost(), 10)
end)

t.test("maps that lose nothing, by their nature or by chance", function()
    t.equal(b.lru:lost(), 0)
    t.equal(b.prefixes:lost(), 0)
    t.equal(b.untouched:lost(), 0)
    t.equal(b.raw:lost(), 0)
end)

t.test("the losses of an object, with reasons", function()
    local list = b:losses()
    local lines = {}
    for i, loss in ipairs(list) do
        lines[i] = ("%s %d %s"):format(loss.map, loss.lost, loss.why)
    end
    t.equal(table.concat(lines, "\n"), [[
counted 12 it is full (4 elements)
dist 6 it has 4 elements, counted from 0
initialised 6 it is full (4 elements)
inserted 12 it is full (4 elements)
percpu 6 it is full (4 elements)
queue 6 it is full (4 elements)
ring 3 it is full (4096 bytes)
slots 6 it has 4 elements, counted from 0
table1 6 it is full (4 elements)
table2 6 it has 4 elements, counted from 0
updated 6 it is full (4 elements)]])
end)

t.test("the counters are no map of the text's", function()
    t.contains(t.fails(function() return b[".bss.lost"] end), "neither a method of a BPF object nor a map")
    local quiet = BPF({ text = "BPF_HASH(h); int f(struct pt_regs *ctx) { u64 k = 0; return h.lookup(&k) != 0; }" })
    t.equal(#quiet:losses(), 0)
    t.equal(quiet.h:lost(), 0)
    quiet:cleanup()
end)
