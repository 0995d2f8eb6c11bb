-- SPDX-License-Identifier: Apache-2.0
-- Wrong arguments of every method of a BPF object and of what it gives.

local t = require("harness")
local calls = require("shared.bad_calls")

local STATIC = { attach_raw_socket = true, attach_xdp = true, remove_xdp = true, attach_func = true, detach_func = true }

local b = BPF({
    text = [[
struct pair { u32 a; u32 b; };
BPF_HASH(counts, u32, u64, 8);
BPF_ARRAY(slots, u64, 4);
BPF_PERCPU_HASH(by_cpu, u32, u64, 8);
BPF_HASH(pairs_of, struct pair, struct pair, 8);
BPF_QUEUE(queue, u32, 4);
BPF_PERF_OUTPUT(events);
BPF_RINGBUF_OUTPUT(ring, 1);
BPF_STACK_TRACE(stacks, 16);
BPF_PROG_ARRAY(programs, 4);
BPF_PERF_ARRAY(cycles, 4);

int on_packet(struct __sk_buff *skb)
{
    return 0;
}

BPF_ITER(task)
{
    return 0;
}

int on_call(struct pt_regs *ctx)
{
    struct pair pair = {};
    events.perf_submit(ctx, &pair, sizeof(pair));
    ring.ringbuf_output(&pair, sizeof(pair), 0);
    return 0;
}
]],
})

t.test("methods of a BPF object", function()
    local report = calls.report()
    report:class("bpflua.BPF", { receiver = b, static = STATIC })
    report:finish(2000)
end)

-- The types of a map's keys and values are the C text's: what is documented as any value is a whole number here.
t.test("methods of maps", function()
    local report = calls.report()
    for _, name in ipairs({ "counts", "slots", "by_cpu", "queue", "events", "ring", "stacks", "programs", "cycles", "pairs_of" }) do
        report:class("bpflua.Map", { receiver = b[name], name = name })
    end
    report:finish(2000)
end)

t.test("methods of what an object gives", function()
    b.by_cpu:set(1, 5)
    local report = calls.report()
    report:class("bpflua.PerCpu", { receiver = b.by_cpu:get(1) })
    report:class("bpflua.Struct", { receiver = b.pairs_of:Key({ a = 1 }) })
    report:class("bpflua.Function", { receiver = b:load_func("on_packet", "SOCKET_FILTER") })
    report:class("bpflua.Iter", { receiver = b:iter("bpf_iter__task") })
    report:class("bpflua.USDT", { receiver = USDT({ path = "/proc/self/exe" }) })
    local probe = USDT({ path = BPF.find_library("stdc++") or BPF.find_library("c") }):enumerate_probes()[1]
    if probe then
        report:class("bpflua.USDTProbe", { receiver = probe })
    else
        calls.skip("bpflua.USDTProbe", "the C library has no probes")
    end
    report:class("bpflua.Oneliner", { receiver = BPF.count("tracepoint:syscalls:sys_enter_getpgid"):stop() })
    report:finish(100)
end)

t.test("no public function is left out", function()
    calls.nothing_left_out("root_bad_input")
end)
