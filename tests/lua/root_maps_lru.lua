-- SPDX-License-Identifier: Apache-2.0
-- What LRU maps forget when they are full.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void); long syscall(long number, ...);")
local GETPGID = 121

t.test("a full map forgets some, and keeps the values of the others", function()
    local b = BPF({ text = 'BPF_TABLE("lru_hash", int, u64, recent, 1024);' })
    for i = 1, 1031 do
        b.recent[i] = i * 3
    end
    local count = 0
    for key, value in b.recent:items() do
        t.equal(tonumber(value), key * 3)
        count = count + 1
    end
    t.equal(count, #b.recent)
    -- Several are forgotten at a time.
    t.equal(count < 1024, true)
    t.equal(b.recent[1031], 3093ULL)
end)

t.test("of one element for each CPU, the new one takes the place of the old", function()
    local b = BPF({ text = ([[
BPF_TABLE("lru_percpu_hash", u32, u32, calls, 1);
RAW_TRACEPOINT_PROBE(sys_enter)
{
    u32 key = 0, zero = 0, *count;

    if (bpf_get_current_pid_tgid() >> 32 != %d || ctx->args[1] != %d)
        return 0;
    count = calls.lookup_or_try_init(&key, &zero);
    if (count)
        *count += 1;
    return 0;
}
]]):format(ffi.C.getpid(), GETPGID) })
    b.calls[1] = 0
    b.calls[0] = 0
    t.equal(b.calls[1], nil)
    for _ = 1, 12 do
        ffi.C.syscall(GETPGID, 0)
    end
    t.equal(#b.calls, 1)
    local cpus = #b.calls[0]
    t.equal(b.calls:sum(0), 12)
    t.equal(b.calls:average(0), 12 / cpus)
    t.equal(b.calls:max(0) >= math.ceil(12 / cpus) and b.calls:max(0) <= 12, true)
end)
