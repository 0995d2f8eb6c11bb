-- SPDX-License-Identifier: Apache-2.0
-- Maps that other objects use: by a path, by a public name, within a name space.

local ffi = require("ffi")
local t = require("harness")

local PUBLIC = 'BPF_TABLE_PUBLIC("array", int, int, table1, 10);'
local EXTERN = 'BPF_TABLE("extern", int, int, table1, 10);'

t.test("an extern map is the public one, and outlives its maker", function()
    local b1 = BPF({ text = PUBLIC })
    local b2 = BPF({ text = EXTERN })
    b2.table1[1] = 10
    t.equal(#b2.table1, 10)
    t.equal(b2.table1.kind, "array")
    t.equal(b1.table1[1], 10)
    b1:cleanup()
    t.equal(b2.table1[1], 10)
    local b3 = BPF({ text = EXTERN })
    b2:cleanup()
    t.equal(b3.table1[1], 10)
    b3:cleanup()
    t.contains(t.fails(BPF, { text = EXTERN }), "cannot find the extern map `table1`")
end)

t.test("an extern map's end leaves the public one as it is", function()
    local b1, b2 = BPF({ text = PUBLIC }), BPF({ text = EXTERN })
    b2.table1[1] = 10
    t.equal(#b2.table1, 10)
    b2:cleanup()
    t.equal(b1.table1[1], 10)
    t.equal(#b1.table1, 10)
    b1:cleanup()
end)

t.test("the first public map keeps its name while anybody uses it", function()
    local b1, b2 = BPF({ text = PUBLIC }), BPF({ text = PUBLIC })
    b1.table1[0], b2.table1[0] = 1, 2
    local b3 = BPF({ text = EXTERN })
    t.equal(b3.table1[0], 1)
    b1:cleanup()
    b3:cleanup()
    b2:cleanup()
end)

t.test("an extern map of nobody names those that there are", function()
    local text = EXTERN:gsub("table1", "tabel1")
    t.contains(t.fails(BPF, { text = text }), "no other BPF object made map `tabel1` public")
    t.contains(t.fails(BPF, { text = text }), "there are no public maps")
    local b = BPF({ text = PUBLIC .. 'BPF_TABLE_PUBLIC("hash", u32, u64, unlike, 10);' })
    t.contains(t.fails(BPF, { text = text }), "similar: table1")
    t.contains(t.fails(BPF, { text = EXTERN:gsub("table1", "zzz") }), "the public maps are table1, unlike")
    t.contains(t.fails(BPF, { text = 'BPF_TABLE("extern", int, u64, table1, 10);' }), "value: 4 bytes there, 8 bytes in the C text")
    b:cleanup()
end)

t.test("a map of maps is public like any other", function()
    local b1 = BPF({ text = 'BPF_HASH(inner, int, int, 8); BPF_TABLE_PUBLIC("array_of_maps$inner", int, int, outer, 4);' })
    local b2 = BPF({ text = [[
BPF_TABLE("extern", int, int, outer, 4);
SEC("socket") int count(struct __sk_buff *skb) {
    int key = 1, value = 9;
    void *inner = outer.lookup(&key);
    return inner ? bpf_map_update_elem(inner, &key, &value, 0) : 1;
}]] })
    b2.outer[1] = b1.inner
    t.equal(b2:test_run({ fn_name = "count", data_in = ("\0"):rep(64) }).retval, 0)
    t.equal(b1.inner[1], 9)
    b1:cleanup()
    b2:cleanup()
end)

t.test("programs of both objects use it", function()
    local b1 = BPF({ text = 'BPF_TABLE_PUBLIC("percpu_hash", u32, u64, calls, 10);' })
    local b2 = BPF({ text = [[
BPF_TABLE("extern", u32, u64, calls, 10);
SEC("socket") int count(struct __sk_buff *skb) {
    calls.increment(7);
    u32 key = 8;
    u64 one = 1;
    calls.update(&key, &one);
    return 0;
}]] })
    t.equal(b2:load_func("count").fd > 0, true)
    b2.calls[7] = 3
    t.equal(b1.calls:max(7), 3ULL)
    t.equal(b1.calls.kind, b2.calls.kind)
    b1:cleanup()
    b2:cleanup()
end)

t.test("shared maps stay in their name space", function()
    local b1 = BPF({ text = 'BPF_TABLE_SHARED("hash", int, int, mine, 10);', maps_ns = "one" })
    local extern = 'BPF_TABLE("extern", int, int, mine, 10);'
    local b2 = BPF({ text = extern, maps_ns = "one" })
    b1.mine[1] = 2
    t.equal(b2.mine[1], 2)
    t.contains(t.fails(BPF, { text = extern, maps_ns = "two" }), "no other BPF object made map `mine` public")
    t.contains(t.fails(BPF, { text = extern }), "no other BPF object made map `mine` public")
    b1:cleanup()
    b2:cleanup()
end)

local folder = "/sys/fs/bpf/bpflua-test-" .. tostring(os.time()) .. "-" .. tostring({}):match("0x(%x+)")
local mounted = false
for line in io.lines("/proc/self/mounts") do
    mounted = mounted or line:find(" /sys/fs/bpf bpf ", 1, true) ~= nil
end
if not mounted then
    return print("skipped: no BPF file system on /sys/fs/bpf")
end

local function pinned(macro)
    return (macro:gsub("PATH", ('"%s/a/map"'):format(folder)))
end

t.test("a pinned map is found again", function()
    local text = pinned('BPF_TABLE_PINNED("hash", u32, u64, pinned, 100, PATH);')
    local b1 = BPF({ text = text })
    b1.pinned[1] = 5
    b1:cleanup()
    local b2 = BPF({ text = text:gsub("pinned, 100", "other, 100") })
    t.equal(b2.other[1], 5ULL)
    b2:cleanup()
    local err = t.fails(BPF, { text = pinned('BPF_TABLE_PINNED("array", u32, u32, third, 100, PATH, 1 << 10);') })
    t.contains(err, ("cannot use what is pinned at `%s/a/map` as map `third`"):format(folder))
    t.contains(err, "type: hash there, array in the C text")
    t.contains(err, "value: 8 bytes there, 4 bytes in the C text")
    t.contains(err, "flags: 0x0 there, 0x400 in the C text")
end)
os.execute("rm -r " .. folder)

t.test("a pin may go while its map is used; size 0 and the way of allocation are those that are there", function()
    local first = BPF({ text = pinned('BPF_TABLE_PINNED("hash", u64, u64, ids, 1024, PATH);') })
    first.ids[7] = 0x42
    first:cleanup()
    local b = BPF({ text = pinned('BPF_TABLE_PINNED("hash", u64, u64, ids, 0, PATH, BPF_F_NO_PREALLOC);') })
    assert(os.remove(folder .. "/a/map"))
    t.equal(b.ids.max_entries, 1024)
    t.equal(b.ids[7], 0x42ULL)
    b.ids[8] = 0x43
    t.equal(b.ids[8], 0x43ULL)
    -- Nothing is pinned there now: another map is created.
    local other = BPF({ text = pinned('BPF_TABLE_PINNED("hash", u64, u64, ids, 1024, PATH);') })
    t.equal(#other.ids, 0)
    other:cleanup()
    b:cleanup()
    os.execute("rm -r " .. folder)
end)

t.test("a socket's storage that is pinned", function()
    local text = pinned([[
BPF_TABLE_PINNED("sk_storage", u32, u64, sockets, 0, PATH);
SEC("tc") int count(struct __sk_buff *skb) {
    struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : 0;
    u64 begin = 5, *value = sk ? sockets.sk_storage_get(sk, &begin, BPF_SK_STORAGE_GET_F_CREATE) : 0;
    return value ? ++*value : 0;
}]])
    local one, two = BPF({ text = text }), BPF({ text = text })
    ffi.cdef("int socket(int domain, int type, int protocol); int close(int fd);")
    local fd = ffi.C.socket(2, 1, 0)
    one.sockets[fd] = 9
    t.equal(two.sockets[fd], 9ULL)
    two.sockets[fd] = nil
    t.equal(one.sockets[fd], nil)
    ffi.C.close(fd)
    t.equal(two:test_run({ fn_name = "count", data_in = ("\0"):rep(12) .. "\8\0\69" .. ("\0"):rep(49) }).retval, 6)
    one:cleanup()
    two:cleanup()
    os.execute("rm -r " .. folder)
end)

t.test("queues, stacks and devices are pinned as well", function()
    local b = BPF({ text = pinned('BPF_QUEUESTACK_PINNED("queue", numbers, u64, 8, 0, PATH);') })
    b.numbers:push(9)
    b:cleanup()
    b = BPF({ text = pinned('BPF_QUEUESTACK_PINNED("queue", numbers, u64, 8, 0, PATH);') })
    t.equal(b.numbers:pop(), 9ULL)
    b:cleanup()
    os.execute("rm -r " .. folder)
    b = BPF({ text = pinned('BPF_TABLE_PINNED("devmap", int, int, devices, 8, PATH);') })
    b.devices[3] = 1
    b:cleanup()
    b = BPF({ text = pinned('BPF_TABLE_PINNED("devmap", int, int, devices, 8, PATH);') })
    t.equal(b.devices[3], 1)
    b:cleanup()
    os.execute("rm -r " .. folder)
    BPF({ text = pinned("BPF_XSKMAP(sockets, 4, PATH);") }):cleanup()
    t.equal(os.execute(("test -e %s/a/map"):format(folder)), true)
end)

t.test("an inner map that is pinned stays what it is", function()
    local b = BPF({ text = pinned('BPF_TABLE_PINNED("hash", u32, u64, inner, 8, PATH);BPF_ARRAY_OF_MAPS(outer, "inner", 2);'):gsub("/a/map", "/a/in") })
    b.outer[0] = b.inner
    b:cleanup()
    b = BPF({ text = pinned('BPF_TABLE_PINNED("hash", u32, u64, inner, 8, PATH);BPF_ARRAY_OF_MAPS(outer, "inner", 2);'):gsub("/a/map", "/a/in") })
    b.outer[0] = b.inner
    b:cleanup()
end)
os.execute("rm -rf " .. folder)

t.test("where nothing can be pinned", function()
    local err = t.fails(BPF, { text = 'BPF_TABLE_PINNED("hash", u32, u64, lost, 8, "/tmp/bpflua/x");' })
    t.contains(err, "at `/tmp/bpflua/x`: the path is not in a BPF file system")
    t.contains(err, "one is mounted on /sys/fs/bpf: give a path below it")
    err = t.fails(BPF, { text = pinned('BPF_TABLE_PINNED("hash", u32, u64, lost, 8, PATH);'):gsub("/a/map", "/a.b/c.d") })
    t.contains(err, "cannot pin map `lost`")
    os.execute("rm -rf " .. folder)
end)

t.test("maps of maps that cannot be", function()
    t.contains(t.fails(BPF, { text = 'BPF_ARRAY_OF_MAPS(o, "nope", 4); BPF_HASH(nopee);' }), "similar: nopee")
    t.contains(t.fails(BPF, { text = 'BPF_HASH(h); BPF_ARRAY_OF_MAPS(o, "h", 4); BPF_HASH_OF_MAPS(o2, "o");' }),
        "cannot create map `o2`")
    t.contains(t.fails(BPF, { text = 'BPF_HASH(h); BPF_ARRAY_OF_MAPS(o, "h", 4); BPF_HASH_OF_MAPS(o2, "o");' }),
        "a map of maps cannot hold `o`, which is one itself")
    t.contains(t.fails(BPF, { text = 'BPF_PROG_ARRAY(p, 4); BPF_ARRAY_OF_MAPS(o, "p", 4);' }),
        "cannot create map `o`")
end)
