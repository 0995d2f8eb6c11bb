-- SPDX-License-Identifier: Apache-2.0
-- Ring buffers, method by method, and stack traces with addresses and with build IDs.

local ffi = require("ffi")
local getpgid = require("help.getpgid")
local t = require("harness")

t.test("a ring buffer takes what is put out and submitted, not what is discarded", function()
    local b = BPF({ text = [[
struct event { u32 number; char name[12]; };
BPF_RINGBUF_OUTPUT(ring, 8);
BPF_ARRAY(facts, u64, 4);

SEC("socket") int put(struct __sk_buff *skb) {
    struct event event = { 1, "output" }, *reserved;

    ring.ringbuf_output(&event, sizeof(event), 0);
    reserved = ring.ringbuf_reserve(sizeof(struct event));
    if (!reserved)
        return 1;
    *reserved = (struct event){ 2, "submit" };
    ring.ringbuf_submit(reserved, 0);
    reserved = ring.ringbuf_reserve(sizeof(struct event));
    if (!reserved)
        return 1;
    reserved->number = 3;
    ring.ringbuf_discard(reserved, 0);
    for (int what = 0; what < 4; what++) {
        int key = what;
        u64 fact = ring.ringbuf_query(what);
        facts.update(&key, &fact);
    }
    return 0;
}]] })
    local got = {}
    b.ring:open_ring_buffer(function(_, event)
        got[#got + 1] = ("%d %s"):format(event.number, ("%s"):format(event.name))
    end)
    t.equal(b:test_run({ fn_name = "put", data_in = ("\0"):rep(64) }).retval, 0)
    -- Three records of 16 bytes with headers of 8.
    t.equal(b.facts[0], 72ULL) -- BPF_RB_AVAIL_DATA
    t.equal(b.facts[1], 8ULL * 4096) -- BPF_RB_RING_SIZE
    t.equal(b.facts[2], 0ULL) -- BPF_RB_CONS_POS
    t.equal(b.facts[3], 72ULL) -- BPF_RB_PROD_POS
    b:ring_buffer_consume()
    t.equal(table.concat(got, ", "), "1 output, 2 submit")
    t.equal(b.ring:lost(), 0)
end)

t.test("events that do not fit into a ring buffer are told as lost", function()
    local b = BPF({ text = [[
BPF_RINGBUF_OUTPUT(ring, 1);
SEC("socket") int fill(struct __sk_buff *skb) {
    char record[504] = {}, *reserved;
    for (int i = 0; i < 10; i++)
        ring.ringbuf_output(record, sizeof(record), 0);
    reserved = ring.ringbuf_reserve(504);
    if (reserved)
        ring.ringbuf_discard(reserved, 0);
    return 0;
}]] })
    local delivered, lost = 0, 0
    b.ring:open_ring_buffer(function() delivered = delivered + 1 end, { lost_cb = function(count) lost = lost + count end })
    b:test_run({ fn_name = "fill", data_in = ("\0"):rep(64) })
    b:ring_buffer_consume()
    b:ring_buffer_poll(10)
    t.equal(delivered + b.ring:lost(), 11)
    t.equal(lost, b.ring:lost())
end)

-- The files that this process runs from, and where they are mapped.
local function mappings()
    local list = {}
    for line in io.lines("/proc/self/maps") do
        local from, to, offset, path = line:match("^(%x+)%-(%x+) r%-xp (%x+) %S+ %d+%s+(/.*)$")
        if from then
            list[#list + 1] = { from = tonumber(from, 16), to = tonumber(to, 16), offset = tonumber(offset, 16), path = path }
        end
    end
    return list
end

local function file_of(address)
    for _, mapping in ipairs(mappings()) do
        if address >= mapping.from and address < mapping.to then
            return mapping.path
        end
    end
end

t.test("a stack trace holds the addresses of the calls", function()
    local b = BPF({ text = getpgid.on([[
BPF_STACK_TRACE(stacks, 60);
BPF_TABLE("stacktrace", int, struct bpf_stacktrace, table, 64);
BPF_STACK_TRACE(kernel_stacks, 64);
BPF_ARRAY(ids, int, 3);
ON_GETPGID
    int i = 0, id = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    ids.update(&i, &id);
    i = 1, id = table.get_stackid(ctx, BPF_F_USER_STACK);
    ids.update(&i, &id);
    i = 2, id = kernel_stacks.get_stackid(ctx, 0);
    ids.update(&i, &id);
    return 0;
}]]) })
    getpgid.call()
    t.equal(b.stacks.max_entries, 64)
    for i, map in ipairs({ b.stacks, b.table }) do
        local id = b.ids[i - 1]
        t.equal(id >= 0, true)
        local stack = map:get(id)
        -- The system call is made by libc or by the executable itself.
        t.equal(type(file_of(tonumber(stack[1]))), "string")
        map[id] = nil
        t.equal(map[id], nil)
    end
    -- Before 6.12 the kernel cannot tell its own stack at this place.
    local kernel = b.ids[2]
    if kernel >= 0 then
        t.equal(b.kernel_stacks:get(kernel)[1] > 0xffff800000000000ULL, true)
    else
        t.equal(kernel, -14) -- EFAULT
    end
end)

t.test("a stack trace with build IDs names the file and the offset", function()
    local b = BPF({ text = getpgid.on([[
BPF_STACK_TRACE_BUILDID(stacks, 64);
BPF_ARRAY(ids, int, 1);
ON_GETPGID
    int zero = 0, id = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    ids.update(&zero, &id);
    return 0;
}]]) })
    getpgid.call()
    local id = b.ids[0]
    t.equal(id >= 0, true)
    local first = b.stacks:get(id)[1]
    if ffi.istype("uint64_t", first) then
        return print("skipped: the kernel found no build ID of this process's files")
    end
    local build_id = ffi.string(first.build_id, 20)
    local found
    for _, mapping in ipairs(mappings()) do
        local file = io.open(mapping.path, "rb")
        if file and file:read(65536):find(build_id, 1, true) then
            local offset = tonumber(first.offset)
            found = found or offset >= mapping.offset and offset < mapping.offset + mapping.to - mapping.from
        end
    end
    t.equal(found, true)
end)
