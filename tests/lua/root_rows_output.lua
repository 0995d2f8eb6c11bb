-- SPDX-License-Identifier: Apache-2.0
-- Rows of the dialect with their values: packets beside events, wakeups of ring buffers, 128 bits in the network's order, queues
-- and stacks that several objects share, and what the environment says.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void);")
local SELF = ("/proc/%d/exe"):format(ffi.C.getpid())

t.test("perf_submit_skb: an event and so many bytes of the packet behind it", function()
    local b = BPF({ text = [[
struct event_t { u32 length; u32 kept; };
BPF_PERF_OUTPUT(events);
SEC("tc") int on_packet(struct __sk_buff *skb)
{
	struct event_t event = { skb->len, skb->len < 40 ? skb->len : 40 };
	return events.perf_submit_skb(skb, event.kept, &event, sizeof(event));
}
]] })
    local got = {}
    b.events:open_perf_buffer(function(_, data, size)
        got[#got + 1] = ffi.string(data, size)
    end)
    for _, length in ipairs({ 20, 33, 64 }) do
        local bytes = {}
        for i = 1, length do
            bytes[i] = string.char((i * 7 + length) % 256)
        end
        local packet = table.concat(bytes)
        t.equal(ffi.cast("int32_t", b:test_run({ fn_name = "on_packet", data_in = packet }).retval), ffi.cast("int32_t", 0))
        b:perf_buffer_poll(1000)
        local event = ffi.cast("const uint32_t *", got[#got])
        local kept = math.min(length, 40)
        t.equal(event[0], length)
        t.equal(event[1], kept)
        t.equal(got[#got]:sub(9, 8 + kept), packet:sub(1, kept))
        -- The kernel fills the record up to words.
        t.equal(#got[#got] - 8 - kept < 8, true)
    end
    t.equal(#got, 3)
    b:cleanup()
end)

t.test("ring buffers with and without waking the reader", function()
    local b = BPF({ text = [[
BPF_RINGBUF_OUTPUT(events, 8);
SEC("raw_tp") int quiet(void *ctx) { u64 n = 1; return events.ringbuf_output(&n, sizeof(n), BPF_RB_NO_WAKEUP); }
SEC("raw_tp") int loud(void *ctx)
{
	u64 *n = events.ringbuf_reserve(sizeof(*n));
	if (!n)
		return 1;
	*n = 2;
	events.ringbuf_submit(n, BPF_RB_FORCE_WAKEUP);
	return 0;
}
SEC("raw_tp") int dropped(void *ctx)
{
	u64 *n = events.ringbuf_reserve(sizeof(*n));
	if (n)
		events.ringbuf_discard(n, BPF_RB_NO_WAKEUP);
	return events.ringbuf_query(BPF_RB_AVAIL_DATA);
}
]] })
    local got = {}
    b.events:open_ring_buffer(function(_, data)
        got[#got + 1] = tonumber(data)
    end)
    for _, name in ipairs({ "quiet", "quiet", "loud" }) do
        t.equal(tonumber(b:test_run({ fn_name = name }).retval), 0)
    end
    b:ring_buffer_poll(1000)
    t.equal(table.concat(got, " "), "1 1 2")
    -- What is dropped takes room until it is read over: eight bytes and their head.
    t.equal(tonumber(b:test_run({ fn_name = "dropped" }).retval), 16)
    t.equal(tonumber(b:test_run({ fn_name = "quiet" }).retval), 0)
    b:ring_buffer_consume()
    t.equal(table.concat(got, " "), "1 1 2 1")
    b:cleanup()
end)

t.test("128 bits in the network's order", function()
    local b = BPF({ text = [[
struct wide_t { u64 lo, hi; };
BPF_ARRAY(out, struct wide_t, 2);
SEC("raw_tp") int f(void *ctx)
{
	unsigned __int128 n = (unsigned __int128)0x0102030405060708ULL << 64 | 0x090a0b0c0d0e0f10ULL;
	unsigned __int128 turned = bpf_ntoh128(n), back = bpf_hton128(turned);
	struct wide_t a = { turned, turned >> 64 }, c = { back, back >> 64 };
	out.update(&(int){0}, &a);
	out.update(&(int){1}, &c);
	return 0;
}
]] })
    b:test_run({ fn_name = "f" })
    t.equal(b.out[0].lo, 0x0807060504030201ULL)
    t.equal(b.out[0].hi, 0x100f0e0d0c0b0a09ULL)
    t.equal(b.out[1].lo, 0x090a0b0c0d0e0f10ULL)
    t.equal(b.out[1].hi, 0x0102030405060708ULL)
    b:cleanup()
end)

t.test("queues and stacks of several objects", function()
    local public = BPF({ text = 'BPF_QUEUESTACK_PUBLIC("stack", bpflua_rows_stack, u64, 8, 0);' })
    local other = BPF({ text = [[
BPF_QUEUESTACK("extern", bpflua_rows_stack, u64, 8, 0);
SEC("raw_tp") int f(void *ctx) { u64 n = 5; return bpflua_rows_stack.push(&n, 0); }
]] })
    t.equal(tonumber(other:test_run({ fn_name = "f" }).retval), 0)
    public.bpflua_rows_stack:push(6)
    t.equal(other.bpflua_rows_stack:pop(), 6ULL)
    t.equal(public.bpflua_rows_stack:pop(), 5ULL)
    other:cleanup()
    public:cleanup()

    local one = BPF({ text = 'BPF_QUEUESTACK_SHARED("queue", line, u64, 8, 0);', maps_ns = "rows" })
    local extern = 'BPF_QUEUESTACK("extern", line, u64, 8, 0);'
    local two = BPF({ text = extern, maps_ns = "rows" })
    one.line:push(1)
    two.line:push(2)
    t.equal(one.line:pop(), 1ULL)
    t.equal(two.line:pop(), 2ULL)
    t.contains(t.fails(BPF, { text = extern }), "no other BPF object made map `line` public")
    t.contains(t.fails(BPF, { text = 'BPF_TABLE("extern", int, u64, line, 8);', maps_ns = "rows" }), "the public map has other keys or values")
    two:cleanup()
    one:cleanup()
end)

-- What bpflua prints with a variable set.
local function prints(variable, script)
    local file = os.tmpname()
    local out = assert(io.open(file, "w"))
    out:write(script)
    out:close()
    local pipe = io.popen(("%s %s %s 2>&1"):format(variable, SELF, file))
    local text = pipe:read("*a")
    pipe:close()
    os.remove(file)
    return text
end

t.test("BCC_LINUX_VERSION_CODE and BCC_PROBE_LIMIT", function()
    local version = [[local b = BPF{text = 'SEC("raw_tp") int f(void *ctx) { return LINUX_VERSION_CODE == KERNEL_VERSION(5, 9, 5); }'}
print(tonumber(b:test_run{fn_name = "f"}.retval))]]
    t.equal(prints("BCC_LINUX_VERSION_CODE=" .. 5 * 65536 + 9 * 256 + 5, version), "1\n")
    t.equal(prints("BCC_LINUX_VERSION_CODE=", version), "0\n")
    local limit = [[local b = BPF{text = "int f(struct pt_regs *ctx) { return 0; }"}
b:attach_uprobe{name = "c", sym_re = "getp[ip]", fn_name = "f"}
print(BPF.num_open_uprobes())]]
    local count = tonumber((prints("BCC_PROBE_LIMIT=1000", limit)))
    t.equal(count >= 2, true)
    t.contains(prints("BCC_PROBE_LIMIT=1", limit), ("it stands for %d functions; uprobes one by one are limited to 1"):format(count))
end)
