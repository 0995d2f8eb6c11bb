-- SPDX-License-Identifier: Apache-2.0
-- Keys and values as text and back, and histograms as JSON.

local t = require("harness")

local b = BPF({ text = [[
struct value_t { u64 a; s64 b; u32 c:18; u32 d:14; struct { u32 x; u16 y[3]; } s; char name[8]; bool on; };
BPF_HASH(stats, int, struct value_t, 10);
BPF_HASH(lists, int, struct { u32 a[3]; u32 b; }, 10);
BPF_HASH(by_name, char[8]);
struct slot_t { char disk[8]; u64 slot; };
BPF_HISTOGRAM(sizes);
BPF_HISTOGRAM(by_disk, struct slot_t);
BPF_PERF_OUTPUT(events);
]] })

t.test("numbers, structs, arrays, text", function()
    t.equal(b.stats:key_sprintf(2), "0x2")
    t.equal(b.stats:key_sprintf(-1), "0xffffffff")
    local text = b.stats:leaf_sprintf({ a = 2, b = -3, c = 4, d = 1, s = { x = 5, y = { 6, 7, 8 } }, name = "me", on = true })
    t.equal(text, '{ 0x2 0xfffffffffffffffd 0x4 0x1 { 0x5 [ 0x6 0x7 0x8 ] } "me" 0x1 }')
    t.equal(b.lists:leaf_sprintf({ { { 1, 2, 3 }, 4 } }), "{ [ 0x1 0x2 0x3 ] 0x4 }")
    t.equal(b.by_name:key_sprintf("bash"), '"bash"')
end)

t.test("and back", function()
    local value = b.stats:leaf_scanf('{ 0x2 0xfffffffffffffffd 0x4 1 { 5 [ 6 0x7 010 ] } "me" 0x1 }')
    t.equal(value.a == 2ULL and value.b == -3LL, true)
    t.equal(value.c, 4)
    t.equal(value.d, 1)
    t.equal(value.s.y[2], 8)
    t.equal(("%s"):format(value.name), "me")
    t.equal(value.on, true)
    t.equal(b.stats:key_scanf("0xffffffff"), -1)
    t.equal(b.by_name:key_scanf('"bash"'), "bash")
    b.stats[1] = value
    t.equal(b.stats:leaf_sprintf(b.stats[1]), '{ 0x2 0xfffffffffffffffd 0x4 0x1 { 0x5 [ 0x6 0x7 0x8 ] } "me" 0x1 }')
end)

t.test("texts in an array of structs, and back", function()
    local traces = BPF({ text = [[
struct symbol { char name[128], path[128]; };
struct trace { uint32_t pid, tid; struct symbol stack[64]; };
BPF_TABLE("array", int, struct trace, traces, 1);
]] }).traces
    local fill = (' { "" "" }'):rep(63)
    t.equal(traces:leaf_sprintf(traces[0]), '{ 0x0 0x0 [ { "" "" }' .. fill .. " ] }")
    local leaf = traces:Leaf({ pid = 1, tid = 2 })
    leaf.stack[0].name, leaf.stack[0].path = "libxyz", "/usr/lib/libxyz.so"
    local text = traces:leaf_sprintf(leaf)
    t.equal(text, '{ 0x1 0x2 [ { "libxyz" "/usr/lib/libxyz.so" }' .. fill .. " ] }")
    local back = traces:leaf_scanf(text)
    t.equal(back.pid, 1)
    t.equal(back.tid, 2)
    t.equal(("%s %s"):format(back.stack[0].name, back.stack[0].path), "libxyz /usr/lib/libxyz.so")
end)

t.test("what cannot be read is told with its place", function()
    t.contains(t.fails(b.stats.leaf_scanf, b.stats, "{ 0x2 x"), 'cannot read a value of map `stats` from "{ 0x2 x"')
    t.contains(t.fails(b.stats.leaf_scanf, b.stats, "{ 0x2 x"), "a number is expected")
    t.contains(t.fails(b.lists.leaf_scanf, b.lists, "{ [ 1 2 ] 3 }"), "a number is expected at character 8")
    t.contains(t.fails(b.lists.leaf_scanf, b.lists, "{ [ 1 2 3 ] 3 } 4"), "the end is expected")
    t.contains(t.fails(b.stats.key_scanf, b.stats, 5), "a text is needed")
    t.contains(t.fails(b.stats.key_sprintf, b.stats, "x"), "key of `stats`")
end)

local function printed(body)
    local pieces, real = {}, io.write
    io.write = function(text)
        pieces[#pieces + 1] = text
        return true
    end
    local ok, err = pcall(body)
    io.write = real
    assert(ok, err)
    return table.concat(pieces)
end

t.test("histograms as JSON", function()
    b.sizes[1], b.sizes[3] = 5, 2
    local line = printed(function() b.sizes:print_json_hist("bytes") end)
    t.equal((line:gsub('"ts": "[^"]*"', '"ts": "now"')), '{"ts": "now", "val_type": "bytes", "data": ['
        .. '{"interval-start": 0, "interval-end": 1, "count": 5}, {"interval-start": 2, "interval-end": 3, "count": 0}, '
        .. '{"interval-start": 4, "interval-end": 7, "count": 2}]}\n')
    b.by_disk[{ disk = "sda", slot = 1 }] = 7
    line = printed(function() b.by_disk:print_json_hist("usecs", "disk") end)
    t.contains(line, '"data": [{"interval-start": 0, "interval-end": 1, "count": 7}], "disk": "sda"}\n')
    line = printed(function() b.by_disk:print_log2_hist("usecs", "disk") end)
    t.contains(line, "\ndisk = sda\n     usecs ")
end)
