-- SPDX-License-Identifier: Apache-2.0
-- Ring buffers filled by a system call: put out or reserved, polled or consumed; what is discarded never comes.

local t = require("harness")

local HEAD = [[
BPF_RINGBUF_OUTPUT(naps, 8);
struct nap_t { u64 ts, pages; u32 pid, padding; };
BPF_ARRAY(calls, u64, 1);
int on_sleep(void *ctx)
{
    char comm[16];

    bpf_get_current_comm(comm, sizeof(comm));
    if (comm[0] != 's' || comm[1] != 'l' || comm[2] != 'e' || comm[3] != 'e' || comm[4] != 'p')
        return 0;
    calls.atomic_increment(0);
]]

local RESERVE = [[
    struct nap_t *nap = naps.ringbuf_reserve(sizeof(*nap));
    if (!nap)
        return 1;
    nap->ts = bpf_ktime_get_ns();
    nap->pages = 0;
    nap->pid = bpf_get_current_pid_tgid() >> 32;
]]

-- Runs `sleep` once under a program; the events that are there afterwards.
local function naps(body, take)
    local b = BPF({ text = HEAD .. body .. "\n    return 0;\n}\n" })
    for _, name in ipairs({ "nanosleep", "clock_nanosleep" }) do
        b:attach_kprobe({ event = b:get_syscall_fnname(name), fn_name = "on_sleep" })
    end
    local list = {}
    b.naps:open_ring_buffer(function(_, nap, size)
        t.equal(size, 24)
        list[#list + 1] = nap:copy()
    end)
    local before = BPF.monotonic_time()
    local shell = io.popen("sleep 0.1 & echo $!; wait")
    local pid = tonumber(shell:read("*l"))
    shell:close()
    t.equal(b.calls[0], 1ULL)
    take(b)
    for _, nap in ipairs(list) do
        t.equal(nap.ts > before and nap.ts < BPF.monotonic_time(), true)
        t.equal(nap.pid, pid)
    end
    t.equal(b.naps:lost(), 0)
    b:cleanup()
    return list
end

local function poll(b)
    b:ring_buffer_poll(10000)
end

local function consume(b)
    b:ring_buffer_consume()
end

local OUTPUT = [[
    struct nap_t nap = { .ts = bpf_ktime_get_ns(), .pid = bpf_get_current_pid_tgid() >> 32 };
    naps.ringbuf_output(&nap, sizeof(nap), 0);
]]

t.test("put out, and polled", function() t.equal(#naps(OUTPUT, poll), 1) end)
t.test("put out, and consumed", function() t.equal(#naps(OUTPUT, consume), 1) end)
t.test("reserved and submitted", function() t.equal(#naps(RESERVE .. "naps.ringbuf_submit(nap, 0);", poll), 1) end)
t.test("reserved and discarded", function() t.equal(#naps(RESERVE .. "naps.ringbuf_discard(nap, 0);", consume), 0) end)

t.test("its size, asked by the program", function()
    local list = naps([[
    u64 size = naps.ringbuf_query(BPF_RB_RING_SIZE);
    if (!size)
        return 1;
    struct nap_t nap = { .ts = bpf_ktime_get_ns(), .pages = size / 4096, .pid = bpf_get_current_pid_tgid() >> 32 };
    naps.ringbuf_output(&nap, sizeof(nap), 0);
]], poll)
    t.equal(list[1].pages, 8ULL)
end)
