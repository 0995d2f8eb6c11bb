-- SPDX-License-Identifier: Apache-2.0
-- How maps print at the prompt: elements of every kind of map, put there by hand, as text of fixed widths.

local t = require("harness")

local b = BPF({ text = [[
struct key_t { u32 pid; char comm[16]; u64 delta_us; };
struct value_t { u64 count; u64 bytes; enum { RED, GREEN } color; u8 mac[6]; int list[3]; };
struct slot_t { char disk[8]; u64 slot; };
struct stack_key_t { u32 pid; int stack_id; };
BPF_HASH(counts, u32);
BPF_HASH(by_key, struct key_t, u64, 1024);
BPF_HASH(values, u64, struct value_t);
BPF_HASH(latency_us, u32);
BPF_HISTOGRAM(dist);
BPF_HISTOGRAM(by_disk, struct slot_t);
BPF_ARRAY(list, u64, 1000);
BPF_PERCPU_ARRAY(per_cpu, u64, 4);
BPF_PERCPU_HASH(per_cpu_values, u32, struct slot_t);
BPF_QUEUE(queue, u32, 10);
BPF_STACK_TRACE(stacks, 1024);
BPF_HASH(by_stack, struct stack_key_t);
BPF_PERF_OUTPUT(perf);
BPF_RINGBUF_OUTPUT(ring, 8);
BPF_PROG_ARRAY(progs, 4);
BPF_HASH(tiny, u32, u32, 1);
struct event_t { u32 pid; char comm[16]; u64 delta_us; };
TRACEPOINT_PROBE(sched, sched_switch)
{
    struct event_t event = { .pid = 1 };
    perf.perf_submit(args, &event, sizeof(event));
    ring.ringbuf_output(&event, sizeof(event), 0);
    return 0;
}
int lose(struct __sk_buff *skb)
{
    u32 one = 1, two = 2;
    tiny.update(&one, &one);
    tiny.update(&two, &two);
    return 0;
}
]] })
for _, probe in ipairs(b:probes()) do
    b:detach(probe)
end

local function shows(map, options, wanted)
    t.equal(BPF.show(b[map], options), wanted)
end

t.test("elements that count most come first", function()
    shows("counts", { width = 80 }, "counts: hash, at most 10,240 elements\nit is empty")
    for i = 1, 5 do
        b.counts[i] = 10 ^ i
    end
    shows("counts", { width = 80 }, [[
counts: hash, at most 10,240 elements
key   value
  5  100000
  4   10000
  3    1000
  2     100
  1      10]])
    shows("counts", { width = 20, rows = 2 }, [[
counts: hash, at mo…
key   value
  5  100000
  4   10000
… 3 more]])
    for i = 6, 5000 do
        b.counts[i] = 5
    end
    t.contains(BPF.show(b.counts, { rows = 2 }), "  5  100000\n  4   10000\n… 4,998 more")
end)

t.test("structs under the names of their members", function()
    b.by_key:set({ pid = 17, comm = "bash", delta_us = 1500 }, 3)
    b.by_key:set({ pid = 4711, comm = "a\27[2J", delta_us = 20 }, 900)
    shows("by_key", { width = 80 }, [[
by_key: hash, at most 1,024 elements
 pid  comm    delta_us  value
4711  a\e[2J     20 us    900
  17  bash      1.5 ms      3]])
    shows("by_key", { width = 20 }, [[
by_key: hash, at mo…
 pid  comm    value
4711  a\e[2J    900
  17  bash        3
… no room for: delt…]])
    b.values:set(1, { count = 7, bytes = 4096, color = "GREEN", mac = { 1, 2, 3, 4, 5, 255 }, list = { 1, -2, 3 } })
    shows("values", { width = 80 }, [[
values: hash, at most 10,240 elements
key  count  bytes  color  mac           list
  1      7  4 KiB  GREEN  0102030405ff  {1, -2, 3}]])
    t.equal(BPF.show(b.values[1], { width = 80 }), "{count = 7, bytes = 4 KiB, color = GREEN, mac = 0102030405ff, list = {1, -2, 3}}")
    t.equal(BPF.show(b.values[1], { width = 40 }), [[
count = 7
bytes = 4 KiB
color = GREEN
mac   = 0102030405ff
list  = {1, -2, 3}]])
end)

t.test("the unit of values is told by the map's name or by the option", function()
    b.latency_us[1] = 2500
    t.contains(BPF.show(b.latency_us, { width = 80 }), "key   value\n  1  2.5 ms")
    t.contains(BPF.show(b.latency_us, { width = 80, unit = "bytes" }), "  1  2.44 KiB")
    t.contains(BPF.show(b.latency_us, { width = 80, unit = "pages" }), "  1  2500 pages")
end)

t.test("arrays show what is not zero", function()
    b.list[3], b.list[999] = 7, 8
    shows("list", { width = 80 }, [[
list: array, at most 1,000 elements
key  value
  3      7
999      8
… 998 elements are zero]])
end)

t.test("values of each CPU are summed", function()
    b.per_cpu[1] = 5
    local cpus = b.per_cpu[1].cpus
    local sum = tostring(5 * cpus)
    t.equal(BPF.show(b.per_cpu, { width = 80 }), ("per_cpu: percpu_array, at most 4 elements\nkey  %ssum  least  most\n  1  %s      5     5\n… 3 elements are zero")
        :format((" "):rep(#sum - 3), (" "):rep(3 - #sum) .. sum))
    b.per_cpu_values[9] = { disk = "sda", slot = 4 }
    t.contains(BPF.show(b.per_cpu_values, { width = 200 }), '  9  {disk = "sda", slot = 4}')
end)

t.test("histograms are drawn", function()
    b.dist[3], b.dist[4] = 40, 10
    shows("dist", { width = 60, unit = "us" }, [[
dist: array, at most 64 elements
[4 us, 8 us)  40 ███████████████████████████████████████████
[8 us, 16 us) 10 ██████████▊
50 values: half < 8 us, 99 % < 16 us]])
    shows("dist", { width = 40, histogram = "linear" }, [[
dist: array, at most 64 elements
3 40 ███████████████████████████████████
4 10 ████████▊
50 values: half ≤ 3, 99 % ≤ 4]])
    b.by_disk[{ disk = "sda", slot = 1 }] = 1
    b.by_disk[{ disk = "sdb", slot = 2 }] = 8
    shows("by_disk", { width = 40 }, [[
by_disk: hash, at most 64 elements
disk = sdb
[2, 4) 8 ███████████████████████████████
8 values: half < 4, 99 % < 4
disk = sda
[0, 2) 1 ███████████████████████████████
1 value: half < 2, 99 % < 2]])
    t.contains(t.fails(BPF.show, b.list, { histogram = "log2" }), "cannot print `list` as a histogram: slot 65 is outside of 0 to 64")
end)

t.test("maps without elements say what they are", function()
    shows("perf", { width = 80 }, "perf: a perf buffer for `struct event_t`, not open")
    shows("ring", { width = 80 }, "ring: a ring buffer of 32 KiB for `struct event_t`, not open")
    b.ring:open_ring_buffer(function() end)
    shows("ring", { width = 80 }, "ring: a ring buffer of 32 KiB for `struct event_t`, open")
    shows("queue", { width = 80 }, "queue: queue, at most 10 elements\nit is empty")
    b.queue:push(7)
    shows("queue", { width = 80 }, "queue: queue, at most 10 elements\nnext = 7\n… the others are seen by `pop`, which takes them")
    t.contains(BPF.show(b.stacks, { width = 80 }), "stacks: stack_trace, at most 1,024 elements")
    t.contains(BPF.show(b.progs, { width = 80 }), "progs: prog_array, at most 4 elements\n")
end)

t.test("a stack that is not there says why", function()
    b.by_stack[{ pid = 3, stack_id = -14 }] = 2
    t.contains(BPF.show(b.by_stack, { width = 200 }), "value 2  pid 3\n    (no stack: the kernel could not walk the stack (EFAULT)")
end)

t.test("losses are told with the map", function()
    b:test_run({ fn_name = "lose", data_in = ("\0"):rep(64) })
    t.contains(BPF.show(b.tiny, { width = 80 }), "tiny: hash, at most 1 element; lost 1 update\n")
    b.tiny:lost()
end)

t.test("JSON has every element", function()
    t.equal(BPF.show(b.by_disk, { json = true }):gsub("%[{.-},\n", ""):find("slot") ~= nil, true)
    local count = select(2, BPF.show(b.counts, { json = true }):gsub('{"key":', ""))
    t.equal(count, 5000)
    t.equal(BPF.show(b.latency_us, { json = true }), '[{"key":1,"value":2500}]')
    t.contains(BPF.show(b.per_cpu, { json = true }), '{"key":1,"value":[5')
    t.contains(BPF.show(b, { json = true }), '{"functions":["tracepoint__sched__sched_switch","lose"],"maps":[')
end)

t.test("a BPF object shows what it holds", function()
    local shown = BPF.show(b, { width = 80 })
    t.contains(shown, "BPF object: 2 functions, 16 maps, 0 probes attached\nfunctions tracepoint__sched__sched_switch\n")
    t.contains(shown, "by_key (hash struct key_t → u64)")
    t.contains(shown, "ring (ringbuf of struct event_t)")
end)

b:cleanup()

t.test("what is closed says so", function()
    t.equal(BPF.show(b), "BPF object (closed)")
end)
